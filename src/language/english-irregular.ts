/**
 * English words whose inflected form a suffix stripper can not trace back: irregular verbs and plurals.
 *
 * A question asks "what did she buy?", the memory says "I bought". Snowball leaves such pairs apart; this
 * closed list brings them together before stemming. Forms that are another common word of their own are
 * left out (saw, found, left, felt, lay, ground, wound, bore, dove, rose, bound).
 *
 * Each line: the base form, then the forms that are brought back to it.
 */
const FORMS = `
arise arose arisen
awake awoke awoken
beat beaten
become became
begin began begun
bend bent
bite bit bitten
bleed bled
blow blew blown
break broke broken
breed bred
bring brought
build built
burn burnt
buy bought
catch caught
choose chose chosen
cling clung
come came
creep crept
deal dealt
dig dug
draw drew drawn
dream dreamt
drink drank drunk
drive drove driven
eat ate eaten
fall fell fallen
feed fed
fight fought
flee fled
fly flew flown
forbid forbade forbidden
forget forgot forgotten
forgive forgave forgiven
freeze froze frozen
get got gotten
give gave given
go went gone
grow grew grown
hang hung
hear heard
hide hid hidden
hold held
keep kept
kneel knelt
know knew known
lead led
lean leant
leap leapt
learn learnt
lend lent
lose lost
make made
mean meant
meet met
overcome overcame
pay paid
prove proven
ride rode ridden
ring rang rung
rise risen
run ran
say said
see seen
seek sought
sell sold
send sent
shake shook shaken
shine shone
shoot shot
show shown
shrink shrank shrunk
sing sang sung
sink sank sunk
sit sat
sleep slept
slide slid
speak spoke spoken
spend spent
spin spun
stand stood
steal stole stolen
stick stuck
sting stung
strike struck stricken
strive strove striven
swear swore sworn
sweep swept
swell swollen
swim swam swum
swing swung
take took taken
teach taught
tear torn
tell told
think thought
throw threw thrown
undergo underwent undergone
understand understood
wake woke woken
wear wore worn
weave wove woven
weep wept
win won
withdraw withdrew withdrawn
write wrote written
child children
man men
woman women
person people
foot feet
tooth teeth
goose geese
mouse mice
louse lice
ox oxen
wife wives
life lives
knife knives
wolf wolves
shelf shelves
leaf leaves
half halves
loaf loaves
thief thieves
scarf scarves
calf calves
self selves
elf elves
`;

/** Inflected form to base form. */
export const ENGLISH_IRREGULAR: ReadonlyMap<string, string> = new Map(
  FORMS.trim()
    .split("\n")
    .flatMap((line) => {
      const [base, ...forms] = line.split(" ");
      return forms.map((form): [string, string] => [form, base!]);
    }),
);
