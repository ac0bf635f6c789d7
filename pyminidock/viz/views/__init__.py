"""A view is one question, and one function World → scene that answers it."""
