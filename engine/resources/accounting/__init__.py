"""What work took and what that costs: by job, run, endpoint, project and week."""
