"""Codes of languages: those of two letters, those of three, and what names of files say with them."""

import re
from collections.abc import Iterable

PAIRS = """
aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul bi:bis
bm:bam bn:ben bo:bod br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre cs:ces cu:chu cv:chv cy:cym da:dan de:deu
dv:div dz:dzo ee:ewe el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas ff:ful fi:fin fj:fij fo:fao fr:fra fy:fry
ga:gle gd:gla gl:glg gn:grn gu:guj gv:glv ha:hau he:heb hi:hin ho:hmo hr:hrv ht:hat hu:hun hy:hye hz:her ia:ina
id:ind ie:ile ig:ibo ii:iii ik:ipk io:ido is:isl it:ita iu:iku ja:jpn jv:jav ka:kat kg:kon ki:kik kj:kua kk:kaz
kl:kal km:khm kn:kan ko:kor kr:kau ks:kas ku:kur kv:kom kw:cor ky:kir la:lat lb:ltz lg:lug li:lim ln:lin lo:lao
lt:lit lu:lub lv:lav mg:mlg mh:mah mi:mri mk:mkd ml:mal mn:mon mr:mar ms:msa mt:mlt my:mya na:nau nb:nob nd:nde
ne:nep ng:ndo nl:nld nn:nno no:nor nr:nbl nv:nav ny:nya oc:oci oj:oji om:orm or:ori os:oss pa:pan pi:pli pl:pol
ps:pus pt:por qu:que rm:roh rn:run ro:ron ru:rus rw:kin sa:san sc:srd sd:snd se:sme sg:sag si:sin sk:slk sl:slv
sm:smo sn:sna so:som sq:sqi sr:srp ss:ssw st:sot su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk
tl:tgl tn:tsn to:ton tr:tur ts:tso tt:tat tw:twi ty:tah ug:uig uk:ukr ur:urd uz:uzb ve:ven vi:vie vo:vol wa:wln
wo:wol xh:xho yi:yid yo:yor za:zha zh:zho zu:zul
"""
# Other codes of the same languages: of libraries, and of the member of a macrolanguage that corpora hold.
OTHERS = """
alb:sq arm:hy baq:eu bur:my chi:zh cze:cs dut:nl fre:fr geo:ka ger:de gre:el ice:is mac:mk mao:mi may:ms per:fa
rum:ro slo:sk tib:bo wel:cy arb:ar azj:az cmn:zh ekk:et khk:mn lvs:lv npi:ne ory:or pbt:ps pes:fa plt:mg swh:sw
uzn:uz ydd:yi zsm:ms als:sq kmr:ku quy:qu
"""
# Languages without a code of two letters of which there are treebanks, translations or Wikipedias of some size.
ALONE = """
ace akk als ang apc aqz arc arz ast awa azb bal ban bar bcl bej bho bjn bpy bre bug bxr ceb cjk ckb cop crh cnh dsb
diq dik egy ext fon frk frp fur gom got grc gsw gun hak hbo hil hit hmn hsb hyw ilo jbo kab kac kam kbp kea kfm kmb
kok koi kpv krl ksh kmw lad lez lij lmo ltg lua luo lus lzh lvs mag mai mdf mhr min mnw mrj mwl myv mzn nap nds new
nso olo orv ota otk pag pam pap pcm pms pnb prg qhe qtd quc ruo rue sah sat scn sco shn shp sjo sms soj srn szl taq
tmh tpi tpn tum tyv tzm udm umb urb vec vep vls vmf vro war wbp wuu xal xav xmf yrl yue zea zza
"""
# Words that are also codes: at the start of a name they say a language, elsewhere they may say anything.
WORDS = """
am an as bal ban bar be bug cv dik ext fur gun he hi hil hit id ie in io is it lad mag min ml my na ne new no or pam sat
se so st to ty war
"""

TWO_TO_THREE = dict(pair.split(":") for pair in PAIRS.split())
ALSO = {three: two for two, three in TWO_TO_THREE.items()} | dict(pair.split(":") for pair in OTHERS.split())
THREE_ALONE, AMBIGUOUS = frozenset(ALONE.split()), frozenset(WORDS.split())
CODE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z]{2,4})?")  # perhaps with a script or a region: `deu_Latn`
TREEBANK = re.compile(r"([a-z]{2,3})_[a-z0-9]+-ud-")  # how Universal Dependencies name their files


def canonical(code: str) -> str:
    """Return one code for all codes of a language: `de` for `de`, `deu`, `ger` and `deu_Latn`."""
    language = re.split("[-_]", code.lower())[0]
    return ALSO.get(language, language)


def spellings(code: str) -> tuple[str, ...]:
    """Return the codes of a language, as it was said first: `fr`, `fra`, `fre`."""
    language = canonical(code)
    others = [each for each, two in ALSO.items() if two == language]
    return tuple(dict.fromkeys([code, language, *others]))


def matching(code: str, there: Iterable[str]) -> list[str]:
    """Return those of some codes that name a language: the code itself, else all codes of the same language.

    Args:
        code: Such as `fr`, or `zh_Hans`, which is not `zho_Hant`.
        there: The codes to choose from.

    Returns:
        Those that fit, in their order; none of another script (or region) than one that is said.
    """
    every, (_, *script) = list(there), re.split("[-_]", code.lower())
    fit = [each for each in every if canonical(each) == canonical(code)]
    if script:
        fit = [each for each in fit if re.split("[-_]", each.lower())[1:] in ([], script)]
    return [code] if code in every else fit


def languages_of(name: str) -> set[str]:
    """Return the languages that the name of a file or a folder says.

    Args:
        name: Such as `en_ewt-ud-train.conllu.xz`, `xnli.test.de.tsv` or `wikiann-fr`.

    Returns:
        Their codes, as `canonical` has them; empty when the name says none.
    """
    first, *words = re.split(r"[._-]+", name.lower())
    found = {canonical(first)} if known(first) or TREEBANK.match(name.lower()) else set()
    return found | {canonical(word) for word in words if known(word) and word not in AMBIGUOUS}


def known(code: str) -> bool:
    """Return whether a word is the code of a language, or such a code with a script or a region: `deu_Latn`."""
    language = re.split("[-_]", code.lower())[0]
    return language in TWO_TO_THREE or language in ALSO or language in THREE_ALONE
