--- Nothing of this service is simulated yet.

return { operations = {} }
