"""Small corpora."""

from hypothesis import strategies as st

TREEBANK = """\
# newdoc
# sent_id = 1
# text = Don't  go
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\tVB\tMood=Imp\t3\taux\t3:aux\t_
2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t3:advmod\tSpacesAfter=\\s\\s
2.1\tyou\tyou\tPRON\tPRP\t_\t_\t_\t3:nsubj\t_
3\tgo\tgo\tVERB\tVB\t_\t0\troot\t0:root\t_

# sent_id = 2
0.1\tI\tI\tPRON\tPRP\t_\t_\t_\t1:nsubj\t_
1\tGone\tgo\tVERB\tVBN\t_\t0\troot\t0:root\tSpaceAfter=No
2\t.\t.\tPUNCT\t.\t_\t1\tpunct\t1:punct\t_

"""
TAGGED = "# text = Ann lives\n1\tAnn\tB-PER\t-\n2\tSmith\tI-PER\t-\n3\tlives\tO\t-\n\n# no tag here\n1\there\tO\t-\n"
TABLE = "word\tother\tscore\ntiger\tcat\t7.35\n\nlove\tsex\t6.77\n"
SENTENCES = st.text(st.characters(exclude_characters="\n\r\0\ufeff", exclude_categories=["Cs"]), max_size=9).map(
    lambda text: text.strip(" \t")
)


def written(folder, content, name="corpus.txt"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
