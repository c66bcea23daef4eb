"""The Django forms of the pages; a form's module has the name of the page that shows it."""
