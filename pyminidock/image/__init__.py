"""Documents that name layers."""
