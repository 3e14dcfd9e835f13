-- The settings that specs beside this file name.
return { app = "aistudio", environments = { dev = {} } }
