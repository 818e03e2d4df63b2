"""The page of the service: HTML, CSS and JavaScript modules as they are sent."""
