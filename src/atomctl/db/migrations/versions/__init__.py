"""One file for each revision; each runs the SQL files of its folder."""
