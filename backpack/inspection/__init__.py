"""What senses do, for people who read: their top tokens, their neighbours, and the roles of their indices."""
