"""How much an organisation does, in numbers a day: of nobody, and shown only where nothing small follows from them."""
