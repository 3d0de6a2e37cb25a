"""The methods: each a component that makes a plan of where the rows of the new vocabulary come from."""
