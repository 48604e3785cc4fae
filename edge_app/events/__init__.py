"""What is published: the messages and their schemas, the event of a passage, its lists, privacy and evidence."""
