"""The clinical interpretation of a bone age: growth, adult height, nearest standards."""
