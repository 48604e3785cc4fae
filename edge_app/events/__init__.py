"""What is published: the messages and their schemas, the event of a pass, its lists, privacy and evidence."""
