"""What is made of results for people: a table in the terminal, CSV, a page, and one folder out of several."""

from .board import Board, LeaderboardError, Line, Table, load_board

__all__ = ["Board", "LeaderboardError", "Line", "Table", "load_board"]
