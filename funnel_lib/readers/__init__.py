"""Reading a company from folders, spreadsheets and exports."""
