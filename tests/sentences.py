"""Small sentences of the parity problem, in parts."""

DATA = "cli xor dataset default --size 5 --zero_dst .1 .9 --one_dst .5 .5 --batch_size 64 --drop_last False"
VALID = "cli xor dataset default --size 5 --batch_size 64 --drop_last False --split validation --draws 4"
MODEL = "cli xor model transformer --layers 1 --heads 1 --embedding_size 4 --feedforward_size 4"
LOSS = "cli loss cross-entropy"
OPTIMIZER = "cli optimizers adamw --learning_rate 0.01"
