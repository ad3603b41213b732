"""What watches the platform: logs, metrics, objectives, alerts and who hears of them."""
