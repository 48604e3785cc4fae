"""What is drawn into pictures for people: plates with their texts, a grid with zones and lines."""
