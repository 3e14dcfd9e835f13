-- The settings that specs beside this file name.
return { app = "aistudio", environments = { dev = {}, prod = { cluster = "aistudio-dev", service = "aistudio-dev" } } }
