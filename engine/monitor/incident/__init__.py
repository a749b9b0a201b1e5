"""The incident of one alert: everything a person needs who was woken by it, read from all rooms as one record."""
