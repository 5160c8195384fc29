"""Questions to those who enter data: opened by checks or by people, answered, closed."""
