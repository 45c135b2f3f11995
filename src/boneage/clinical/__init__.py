"""From a bone age to what a clinician asks next: growth, adult height, nearest standards."""
