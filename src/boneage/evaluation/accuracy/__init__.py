"""How far the answers lie from the labels: tables, figures, other readers beside."""
