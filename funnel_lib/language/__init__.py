"""Languages: number, money and date formats, and the words of the pages."""
