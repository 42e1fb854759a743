/**
 * English words that say how a sentence is built and not what it is about: pronouns, articles, auxiliaries,
 * conjunctions, prepositions and their contractions. Closed classes only: a content word is never a stop
 * word, however common, because idf deals with common ones and a memory may be about "time" or "work".
 *
 * Contractions are listed as they are written with the apostrophe; those that are no other word without it
 * are listed that way too (dont, but not ill, well, wed, shell).
 */
const WORDS = `
i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her
hers herself it its itself they them their theirs themselves one's
what which who whom whose this that these those when where why how
am is are was were be been being have has had having do does did doing done
will would shall should can could may might must ought cannot
a an the and but if or nor because as until while of at by for with about against between into through
during before after above below to from up down in out on off over under again further then once than
here there all any both each few more most other some such no not only own same so too very
just also yet ever even still much many
i'm you're he's she's it's we're they're i've you've we've they've i'd you'd he'd she'd we'd they'd it'd
i'll you'll he'll she'll we'll they'll it'll that'll that's there's here's what's who's where's when's why's how's
let's isn't aren't wasn't weren't hasn't haven't hadn't doesn't don't didn't won't wouldn't shan't shouldn't
can't couldn't mustn't mightn't needn't ain't y'all
im youre theyre ive youve weve theyve dont doesnt didnt isnt arent wasnt werent hasnt havent hadnt wouldnt
shouldnt couldnt cant wont thats whats theres
`;

export const ENGLISH_STOP_WORDS: readonly string[] = WORDS.trim().split(/\s+/);
