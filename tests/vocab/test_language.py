"""language.py: right on ordinary sentences of many languages, and tolerant of slang."""

import pytest
from hypothesis import given

from tests.vocab.hostile import REVIEWS
from vocab import vocabulary
from vocab.language import looks_english

WORDS = vocabulary.load()

ENGLISH = """
This was a waste of two hours.
Loved every single minute of it!
Don't bother.
Not my cup of tea.
Superb!
Meh, seen better.
Worst. Movie. Ever.
10/10 would watch again
lol that was sooo bad omg
gonna watch it again tmrw, it slaps
realy lovd this moive, teh acting was amzing
teh plot is realy stupd
absolutly horible acting, compleet waist of tyme
Yo, dis flick be straight fire, no cap.
thx 4 nothing hollywood
wasnt expecting much n got even less
Innit bruv, proper mental that chase scene.
I LOVED IT SO MUCH!!! BEST MOVIE EVER!!!
Wow just wow
Kiss Kiss Bang Bang
Boring boring boring boring boring.
Me and my mates laughed til we cried.
Ho hum. Another slasher, another sequel, another yawn.
Stunning visuals. Shame about the script.
Thoroughly enjoyable romp, cracking dialogue, ace performances.
Great acting, superb direction, wonderful music, terrible ending.
Gérard Depardieu and Juliette Binoche carry Les Misérables on their shoulders.
Das Boot is the finest submarine movie ever made.
La La Land left me cold, but the songs are catchy.
Amélie Poulain, c'est magnifique! What a charming little film.
El Mariachi beats Desperado any day of the week.
Bela Lugosi's dead, and so is this picture.
Pacino, De Niro, Kilmer: Heat delivers.
Akira Kurosawa, Toshiro Mifune, Takashi Shimura: Seven Samurai remains unmatched.
Fellini, Antonioni, Visconti, De Sica, Rossellini.
Giuseppe Tornatore's Cinema Paradiso made my mum cry.
Der Untergang (Downfall) shows Bruno Ganz at his best.
Almodóvar's Todo sobre mi madre and Hable con ella are masterpieces.
Shah Rukh Khan and Kajol sparkle in Dilwale Dulhania Le Jayenge.
O Brother, Where Art Thou? Clooney sings, sort of.
Y Tu Mama Tambien, Amores Perros, Babel.
Pedro is a con man who cons other con men for fun.
Leonardo DiCaprio dies, Kate Winslet lives, Celine Dion sings.
Ingmar Bergman's Det sjunde inseglet still haunts me.
Krzysztof Kieslowski's Trois couleurs: Bleu left everyone speechless.
Crouching Tiger, Hidden Dragon: Chow Yun Fat, Michelle Yeoh, Zhang Ziyi.
Som Sang and Yang Dan star, di Caprio cameos.
Die Hard rules, die hard fans know why.
De Palma, De Niro, De Vito, de rigueur.
Jean-Luc Godard, Jean Seberg, Jean-Paul Belmondo: À bout de souffle.
Such a shame that Van Damme, van Dien and van Peebles never met.
War is hell, and so is War Horse.
a naïve fiancée, a blasé chef, a cliché of a café: très chic
it was awfull, teh actng sucked an teh plot made no sence
"""

FOREIGN = {
    "French": """
Ce film est vraiment magnifique, les acteurs sont excellents.
Je me suis ennuyé du début à la fin.
Quelle déception, un scénario vide et sans intérêt.
Très bon moment de cinéma, à voir en famille.
Un chef-d'œuvre absolu.
Je ne suis pas du tout d'accord avec les critiques.
""",
    "Spanish": """
Esta película es una obra maestra del cine español.
No me gustó nada, me aburrí muchísimo.
Los actores están fantásticos y la historia emociona.
Vaya tostón de película, casi me duermo.
LA PEOR PELÍCULA QUE HE VISTO EN MI VIDA.
""",
    "German": """
Der Film war leider sehr langweilig und viel zu lang.
Ich habe selten so gelacht, einfach großartig!
Tolle Schauspieler, schöne Bilder, aber keine Handlung.
Ein absolutes Meisterwerk, das man gesehen haben muss.
Nie wieder schaue ich mir so etwas an.
""",
    "Italian": """
Questo film è bellissimo, gli attori sono bravissimi.
Non mi è piaciuto per niente, troppo lungo e noioso.
Un capolavoro assoluto del cinema italiano.
Che noia, mi sono addormentato dopo dieci minuti.
""",
    "Portuguese": """
Este filme é muito bom, gostei bastante da história.
Não gostei nada, foi uma perda de tempo.
Os atores são ótimos mas o roteiro é fraco.
O pior filme que já vi na minha vida.
""",
    "Dutch": """
Dit is een van de beste films die ik ooit heb gezien.
Wat een saaie film, ik ben in slaap gevallen.
Het verhaal was erg mooi en de acteurs speelden goed.
Echt een aanrader voor het hele gezin.
""",
    "Swedish": """
Det här är den bästa filmen jag har sett i år.
Jag tyckte inte alls om filmen, den var jättetråkig.
Skådespelarna är fantastiska och musiken är vacker.
""",
    "Danish": """
Det er en af de bedste film jeg nogensinde har set.
Filmen var kedelig og alt for lang, jeg faldt i søvn.
""",
    "Polish": """
To jest najlepszy film, jaki widziałem w tym roku.
Nie podobało mi się, bardzo nudna historia.
Aktorzy grają świetnie, a muzyka zachwyca.
""",
    "Czech": """
Tento film je opravdu skvělý a herci jsou výborní.
Nuda, vůbec se mi to nelíbilo.
""",
    "Hungarian": """
Ez a film nagyon jó volt, mindenkinek ajánlom.
Unalmas és hosszú, kár volt érte.
""",
    "Romanian": """
Acest film este foarte bun și actorii joacă minunat.
Nu mi-a plăcut deloc, prea lung și plictisitor.
""",
    "Finnish": """
Tämä elokuva oli todella hyvä ja näyttelijät olivat loistavia.
En pitänyt tästä lainkaan, aivan liian pitkä ja tylsä.
""",
    "Turkish": """
Bu film gerçekten çok güzel, herkese tavsiye ederim.
Hiç beğenmedim, çok sıkıcı ve uzun bir film.
Zaman kaybı, sakın izlemeyin.
""",
    "Indonesian": """
Film ini sangat bagus dan ceritanya menarik.
Saya tidak suka film ini, terlalu membosankan.
Buang waktu saja, jangan ditonton.
""",
    "Tagalog": """
Ang ganda ng pelikula na ito, sobrang nakakaiyak.
""",
    "Vietnamese": """
Bộ phim này rất hay và cảm động, tôi rất thích.
""",
    "Russian": """
Фильм просто замечательный, всем советую посмотреть.
Очень скучно.
""",
    "Greek": """
Η ταινία ήταν πραγματικά υπέροχη και συγκινητική.
""",
    "Arabic": """
هذا الفيلم رائع جدا وأنصح الجميع بمشاهدته.
""",
    "Hindi": """
यह फिल्म बहुत अच्छी है और सबको देखनी चाहिए।
""",
    "Chinese": """
这部电影真的很好看。
太无聊了,浪费时间。
""",
    "Japanese": """
この映画は本当に素晴らしかったです。
""",
    "Korean": """
이 영화는 정말 재미있었어요.
""",
}
SENTENCES = [(language, line) for language, lines in FOREIGN.items() for line in lines.strip().splitlines()]


@pytest.mark.parametrize("review", ENGLISH.strip().splitlines())
def test_an_english_sentence_is_taken_for_english(review: str) -> None:
    assert looks_english(WORDS.encode(review))


@pytest.mark.parametrize(("language", "review"), SENTENCES)
def test_a_sentence_in_another_language_is_not(language: str, review: str) -> None:
    assert not looks_english(WORDS.encode(review))


@pytest.mark.parametrize("review", ["Bravo!", "C'est magnifique", "!!!", "10/10", "\U0001f600", ""])
def test_few_words_get_the_benefit_of_the_doubt(review: str) -> None:
    assert looks_english(WORDS.encode(review))


def test_a_long_english_review_that_quotes_another_language_is_english() -> None:
    quoted = "Then he says je ne sais pas ce que c'est, mon ami, and leaves. "
    around = "The film was slow and I did not like what they had done to it. "
    assert looks_english(WORDS.encode(around + quoted + around))


def test_a_long_review_in_another_language_that_names_english_films_is_not_english() -> None:
    review = (
        "J'ai revu The Lord of the Rings et The Two Towers hier soir, et je les trouve toujours aussi beaux,"
        " mais un peu longs pour les enfants qui ne connaissent pas l'histoire."
    )
    assert not looks_english(WORDS.encode(review))


@given(REVIEWS)
def test_any_string_is_judged(review: str) -> None:
    assert looks_english(WORDS.encode(review)) in (True, False)
