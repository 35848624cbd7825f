"""Pictures of papers by which somebody shows who they are, black in four places (S-48): seen once, then gone."""
