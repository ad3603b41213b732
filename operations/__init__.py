"""Code that runs beside the platform; each package stands alone and is deployed from its own source."""
