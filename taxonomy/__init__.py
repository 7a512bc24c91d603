"""What a category's products have: schemas, lexicons, and the text matching that grounds a value."""
