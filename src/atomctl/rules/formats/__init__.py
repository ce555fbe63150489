"""Views of the report `atom.report/v1`: the document decides, a format only shows it."""
