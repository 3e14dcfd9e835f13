return { operations = {}, handlers = {} }
