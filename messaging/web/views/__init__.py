"""One module for each page: it reads the request, calls a command or a query, and renders a template."""
