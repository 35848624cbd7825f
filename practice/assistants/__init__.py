"""Who works for whom: assistants plan and greet for those whom an administrator names, and for nobody else."""
