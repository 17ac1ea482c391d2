"""The function that is built in: `call: http`. The only room that speaks HTTP."""
