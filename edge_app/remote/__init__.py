"""What somebody asks for over MQTT is done, where the operator allows it, and answered."""
