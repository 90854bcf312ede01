"""Pure rules of the till: member codes and scan tokens."""
