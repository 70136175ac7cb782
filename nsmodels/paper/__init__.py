"""The paper: tables, supplement and cards from sealed artifacts and the ledger alone, and all of it in one folder."""
