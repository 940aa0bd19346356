"""Pure: what a listing means for the departments, and what their feedback means for the tasks."""
