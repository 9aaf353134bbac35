"""How it reads: tables for people."""
