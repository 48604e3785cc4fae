"""The networks of the study, a file each."""
