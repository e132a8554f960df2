"""The engines of the field, each asked for the same picture the way its makers mean it to be used."""
