return { operations = {} }
