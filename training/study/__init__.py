"""Earlier approaches to reading plates, made again, trained on our data, and measured beside our own networks."""
