### Everything the browser app says, in English.
### Say what happened, what it means, what to do; in that order. No codes first, no exclamation marks, never blame.

product = Subrosa
tab-title = { $page } · Subrosa
skip = Skip to the page
navigation = Pages
demo-band = Demonstration. Everyone here was made up by a program; real members are refused.
starting = Asking the server who it is…
details = Details
cancel = Cancel
close = Close
back = Back
keep = Keep
go-on = Go on
copy = Copy
copied = Copied.
print = Print
try-again = Try again
you = you
name = Name
role = Role
nothing-to-do = Nothing to do.
until = until { $when }
somebody-unknown = Somebody unknown
the-server = The server
ago-now = just now
ago-minutes = { $n ->
    [one] 1 minute ago
   *[other] { $n } minutes ago
}
ago-hours = { $n ->
    [one] 1 hour ago
   *[other] { $n } hours ago
}
ago-days = { $n ->
    [one] 1 day ago
   *[other] { $n } days ago
}

## Navigation

nav-patients = Patients
nav-team = Team
nav-devices = Devices
nav-backup = Backup
nav-safety = Safety
nav-settings = Settings
lock = Lock

## Keys

keys-title = Keyboard
key-search = Search patients
key-write = Write a note; on the patient list: a new patient
key-patients = Go to patients
key-team = Go to the team
key-safety = Go to safety
key-lock = Lock
key-sign = Sign the note
key-keys = Show these keys
key-close = Close what is open

## Roles

role-clinician = Clinician
role-supervisor = Supervisor
role-front-desk = Front desk
role-billing = Billing
role-privacy-officer = Privacy officer
role-owner = Owner

## No server

no-server-title = Subrosa cannot be reached

## Set-up

step-of = Step { $n } of { $of }
setup-welcome-title = Set up your practice
setup-welcome-text = This takes about ten minutes. You need this computer, a printer or pen and paper, and nobody looking over your shoulder.
setup-welcome-1 = 1. You make a passkey: your fingerprint, face or PIN instead of a password.
setup-welcome-2 = 2. You get the practice kit: 24 words on paper that bring everything back if all else is lost.
setup-welcome-3 = 3. You make a second way in, so that a lost phone never locks you out.
setup-token = Set-up code
setup-token-hint = The server printed it when it was started, next to its address.
setup-token-missing = Enter the set-up code that the server printed.
setup-start = Start
setup-exists = This server already has a practice. Sign in instead.
setup-name-title = Who are you?
your-name = Your name
your-name-hint = As your colleagues know you.
name-missing = Enter your name.
setup-role = You will be the owner: you invite colleagues and decide what they do. If you treat patients, you can do that too.
setup-zone = Time zone of the practice
setup-zone-hint = Every time you see is the practice's time.
setup-passkey-title = Make your passkey
setup-passkey-text = Your browser will ask for your fingerprint, face or PIN. It never leaves this device, and there is no password that anyone could ask you for.
setup-making = Making your keys and founding the practice. This takes a few seconds…
make-passkey = Make a passkey
no-passkeys = This browser has no passkeys. Use a current version of Chrome, Edge, Safari or Firefox, and an address that begins with https or with localhost.
setup-done-title = Your practice is ready
setup-done-text = Only you and the people you invite can read what is written here. We cannot, and neither can whoever runs the server.
setup-done-go = Go to patients
passkey-label = { $name }, { $day }

## Kits

kit-practice-title = The practice kit
kit-practice-text = Print it or write it down, and put it where you keep what must not be lost: a safe, a bank, a solicitor. Together with a backup it brings the practice back on a new machine, so treat it like the key to the building. It is shown once and kept nowhere else.
kit-practice-paper = This is the root of the practice. Together with a backup it brings back every record. Whoever holds both can read everything: keep them apart. Nobody will ever ask you for these words.
kit-member-title = Member kit
kit-member-text = Print it or write it down. If you lose every passkey, these words bring you back in after 24 hours, in which you and your colleagues are told. Keep it away from your devices.
kit-member-paper = These words bring one member back in when every passkey is lost: after a wait of 24 hours, in which the practice is told. Nobody will ever ask you for them.
kit-qr = The same words as a QR code
kit-qr-hint = The QR code holds the same words, for a scanner.
kit-print = Print the kit
kit-practice = Practice number
kit-member = Member number
kit-mark = Practice mark
kit-printed = Printed { $day }.
kit-where = Kept where
type-back-title = Check what you kept
type-back-text = Type three of the words from your paper, not from the screen.
type-back-word = Word { $n }
type-back-wrong = This is not word { $n }. Look at your paper again.

## Seven words

seven-title = Your seven words
seven-text = Your passkey signs you in, but on this device it cannot unlock what you write. Seven words do that: you will be asked for them after the passkey. Write them down and keep them with you, apart from this device.
seven-once = The words are shown once.
seven-ask-title = Your seven words
seven-ask-text = Your passkey was right. Now type the seven words you were given with it.
seven-label = Seven words
seven-count = These are { $n } words. Type all seven, with spaces between them.
seven-unlocking = Unlocking with your words. This is slow on purpose and takes a few seconds…

## Second way in

second-title = Make a second way in
second-lead-setup = One way in is one lost phone away from your patients. Make the second one now, before the first patient.
second-lead = If a device is lost or broken, the second way in brings you back.
second-kit = A member kit on paper
second-kit-text = 24 words. Good for a safe; works after 24 hours, or at once with a colleague.
second-passkey = A second passkey
second-passkey-text = A security key or another device that is with you now. Works at once.
second-making-kit = Making your kit…
second-making-passkey = Waiting for the passkey…
second-done = You have another way in now.
one-way-title = You have one way in
one-way-text = If this device is lost, you would be locked out. Make a second way in before the first patient.

## Signing in

sign-in = Sign in
sign-in-title = Good to see you
sign-in-text = Sign in with your passkey: fingerprint, face, PIN or security key.
sign-in-passkey = Sign in with passkey
signing-in = Waiting for your passkey, then opening your keys…
locked-title = Locked
locked-text = Locked after 10 minutes, or because you asked. Your draft is kept.
unlock = Unlock
no-passkey-left = No passkey left?
use-kit = Use your member kit
kit-use-title = Come back with your member kit
kit-use-text = For when every passkey is lost. After you begin, everyone in the practice is told, and you wait 24 hours or ask a colleague to approve at once.
kit-number = Member number
kit-number-hint = 32 letters and digits on the kit. Not needed if you paste the text of the QR code below.
kit-words = The 24 words
kit-words-hint = Or the text of the QR code.
kit-asking = Asking the server for its share…
kit-wait-title = Your wait has begun
kit-wait-text = Come back here after { $when } with the same kit. If this was not you, tell your privacy officer now.
kit-ready-title = Welcome back
kit-ready-text = Make a new passkey, then sign in with it.

## Demonstration

demo-title = A practice to try out
demo-text = Everyone in it was made up by a program. Open it, look around, write what you like; nothing here is real, and nothing real belongs here.
demo-open = Open the demonstration
demo-opening = Opening the demonstration. This takes a few seconds…

## Joining

join-title = You have been invited
join-text = Say who you are and make a passkey. Then you and the person who invited you compare six words.
join-making = Making your keys. This takes a few seconds…
join-six-title = Compare six words
six-words = Six words
join-six-text = Call the person who invited you, or meet them, and read these words to each other. If one differs, stop: somebody stands between you.
join-then = When they have confirmed, sign in with your new passkey.
already-in-title = Somebody is signed in here
already-in-text = Lock first, then open the link again.

## Patients

patients-opening = Opening the list…
patients-opening-words = Fetching the patient list and opening it in this browser. Large practices take a few seconds the first time…
patients-count = { $n ->
    [0] No patients yet
    [one] 1 patient
   *[other] { $n } patients
}
patients-empty-title = No patients yet
patients-empty-text = Add the first one by name, or bring in what your old system exported.
new-patient = New patient
new-patient-line = A family name is enough to begin with.
new-patient-make = Make the chart
new-patient-making = Making the chart's keys and sealing the name…
import = Bring in records
search-label = Search patients
search-placeholder = Name, birth date, number
search-none-title = Nobody fits
search-none-text = Typing mistakes are forgiven, so perhaps the name is spelt quite differently, or the patient is not on your list.
search-many = These are the { $n } that fit best. Type more to narrow it down.
search-clear = Show everyone
given = Given names
family = Family name
family-missing = Enter the family name.
born = Birth date
phone = Phone
email = E-mail
born-on = b. { $day }
died-on = died { $day }

## Chart

chart = Chart
chart-opening = Opening the chart: the server records it first, then this browser checks and opens each entry…
chart-empty-title = Nothing in this chart yet
chart-empty-text = Write the first note. It is sealed before it leaves this browser.
chart-aside = About this chart
chart-private = Only the care team can read this. We cannot.
write-note = Write a note
filter-label = Show
filter-all = All
filter-notes = Notes
filter-measures = Measures
filter-documents = Documents
filter-admin = Appointments & billing
filter-psychotherapy = Psychotherapy
filter-none = Nothing of this kind in the chart.
timeline-more = { $n ->
    [one] Show 1 earlier entry
   *[other] Show { $n } earlier entries
}
psychotherapy-reminder = Your own separate notes on what was said. Only you can open them; they are not part of the record, and nobody gets them with it.
psychotherapy-none = You have no separate notes on this patient.
psychotherapy-others = { $n ->
    [one] One separate note by a colleague exists. Only its author can open it.
   *[other] { $n } separate notes by colleagues exist. Only their authors can open them.
}
version-count = { $n } versions
version-line = Version { $n } · { $who } · { $when }
version-shown = shown
versions = Versions
conflict-tag = two versions
conflict-text = Two people changed this at the same time. Both versions are kept. Read them, then amend the note with what is right.
signed-by = Signed by { $who } · received { $when }
brought-in-by = Brought in and signed by { $who } · received { $when }
amend = Amend
save-file = Save the file
kind-note = Note
kind-identity = Identity
kind-ccda = Clinical document
kind-pdf = PDF
kind-docx = Word document
kind-image = Picture
kind-text = Text
kind-roster-row = Row of an imported list
kind-roster-insurer = Insurance
kind-Observation = Measure
kind-DocumentReference = Document
kind-ExplanationOfBenefit = Benefit statement
draft-in-record = You began a note here and have not signed it.
draft-in-psychotherapy = You began a separate note here and have not signed it.
draft-in-admin = You began an entry here and have not signed it.
draft-in-identity = You began an entry here and have not signed it.
draft-in-messages = You began a message here and have not sent it.
draft-continue = Continue
draft-discard = Discard
draft-discarding = Discarding the draft…
drafts-loading = Looking for drafts…
care-team = Care team
care-treats = treats
care-covers = covers
care-supervises = supervises
care-referred = referred to
care-appointment = has an appointment
relation-waits = waits for confirmation
relation-confirm = Confirm
relation-confirming = Confirming…
relation-add = Add a colleague
relation-add-text = A colleague on the care team opens this chart without being counted as a stranger to it. Somebody else confirms it, so that nobody adds themselves.
relation-who = Colleague
relation-kind = Why
relation-add-do = Add to the care team
relation-adding = Adding to the care team…
relations-loading = Fetching the care team…

## Writing

note-title = Title
note-title-default = Session note
note-day = Day
note-text = Note
note-place = Where it belongs
note-empty = Write the note first.
note-sign = Sign the note
note-signing = Sealing and signing the note…
note-signed = Signed. Nobody can change it unseen.
note-later = Finish later
place-record = Record
place-psychotherapy = Psychotherapy note
belongs-record = The record: what was done and found, diagnoses, plans, medication, session times. The care team reads it, the patient may ask for it, and it goes along when records are sent.
belongs-psychotherapy = Your separate note: what was said, and your thoughts about it. Only you can open it. Not here: session times, medication, diagnoses, test results, progress; those belong in the record.
belongs-admin = Appointments, codes and billing. The front desk reads it too.
belongs-identity = Who the patient is and how to reach them.
belongs-messages = What was written to and by the patient.
draft-kept = Draft kept at { $when }.
draft-will-be-kept = Kept as a sealed draft every 20 seconds.
draft-restored = Your draft from before is back.
amend-title = Amend the note
amend-keeps = Earlier versions stay and can be read.
amend-none = This note cannot be amended here. Open the chart again.
back-to-chart = Back to the chart

## Who has looked

looked-title = Who has looked
looked-aside = Every opening of this chart is recorded before the server hands anything out.
looked-see = See who has looked
looked-checking = Fetching the record of accesses and checking every link of it…
looked-when = When
looked-who = Who
looked-what = What
looked-parts = Which parts
looked-note = Remark
looked-deleted = The content of this access was deleted after its retention time. Its place in the chain is proven.
looked-recorded = That you looked at this list is recorded too.
looked-honest = This shows everything our server recorded, unchanged and with nothing left out. It cannot show what a dishonest server never recorded.
unrelated = not on the care team
proof-holds = The record is complete and unchanged
proof-text = { $n ->
    [one] This browser has just checked 1 access
   *[other] This browser has just checked { $n } accesses
} against the signed ledger: each one links to the one before, back to the first, and none is missing.
proof-download = Save the proof
proof-download-hint = A file that anyone can check later without this server.
did-released = opened the chart
did-listed = listed it among their patients
did-on-call = emergency access
did-audited = looked at this list
did-written = wrote
did-made = made the chart
did-related = changed the care team
did-signed-in = signed in
did-refused = was refused
did-erased = keys destroyed
did-map = sealed the list
compartment-identity = identity
compartment-admin = billing
compartment-record = record
compartment-psychotherapy = psychotherapy
compartment-messages = messages

## Team

team-line = Who works here and what they do.
team-alone-title = You work alone here
team-alone-text = Invite a colleague, the front desk or a privacy officer. Two people also make the dangerous things safer: nobody can be talked into them alone.
invite = Invite
invitations-loading = Looking for answers to invitations…
invitation-open = An invitation is on its way. It can be followed until { $when }.
arrival = A new colleague
arrival-title = { $name } has followed your invitation
arrival-text = Call { $name }, or meet, and compare these six words. Read them to each other.
arrival-confirm = The words are the same: let { $name } in
arrival-differ = If one word differs, do nothing here and tell your privacy officer: somebody stands between you.
member-admitting = Signing the new member in and turning the team keys…
member-admitted = Done. They can sign in now.
remove = Remove
remove-title = Remove from the practice
remove-text = Remove { $name }? { $name } loses access at once and is told.
remove-after = The team keys turn, so what is written from now on cannot be opened with what { $name } still holds. What { $name } has read, they may remember.
remove-keep = Keep { $name }
remove-do = Remove { $name }
member-removing = Ending sessions and turning the team keys…
member-removed = { $name } no longer has access.
role-change = Role
role-change-title = Change the role
role-change-text = What { $name } does from now on decides what { $name } can open.
role-change-do = Change the role
role-changing = Signing the change…
invite-title = Invite a colleague
invite-line = The link is the only secret. It is used once and lasts 72 hours.
invite-1 = 1. You hand over a link: in person, by phone, or in a message that only they read.
invite-2 = 2. They open it, say who they are and make their own passkey.
invite-3 = 3. You compare six words, and you let them in.
invite-make = Make the link
invite-making = Making the invitation…
invite-hand-over = Hand it over outside Subrosa. It is shown once.
invite-link = Link
invite-qr = The link as a QR code
invite-after = When they have followed it, they appear on the team page, with six words to compare.
invite-to-team = Go to the team

kit-uses-loading = Looking for kits in use…
kit-uses-answering = Telling the server…
kit-used-title = Somebody is using { $name }’s member kit
kit-used-text = Since { $since }. It opens { $name }’s way in at { $ready }. If this is not { $name }, stop it now; the kit is then in the wrong hands.
kit-used-stop = Stop it
kit-used-allow = It is { $name }: let them in now
approvals-loading = Looking for what waits for a second person…
approving = Signing…
approve = Sign as the second person
approval-text = Proposed by { $who }, { $when }. Talk to them before you sign.
act-remove = Remove { $name }
act-role = Make { $name } { $role }
act-admit = Admit { $name } as { $role }
act-erase = Destroy the keys of chart { $chart } for ever
act-lift-hold = End the legal hold on chart { $chart }
act-policy-two = Two people sign dangerous acts; time zone { $zone }; orders of one person wait { $days } days
act-policy-one = One person's signature is enough for dangerous acts; orders of one person wait { $days } days; time zone { $zone }
act-pace = Let { $name } open more charts
act-keeper = Trust { $name } as a keeper
act-other = Change members, teams or keys

## Devices

devices-line = Everything that can come in as you.
ways-title = Ways in
ways-count = You have { $n } ways in. One can be lost without harm.
ways-add = Add another
linked-title = Linked devices
linked-empty-title = No linked devices
linked-empty-text = A linked device has its own keys, for certain teams and until a certain day. You need one for the command line program or an office computer that imports records.
link-begin = Link a device
link-making = Making the link…
link-title = Link a device
link-text = Start the program on the other device with this code. It is used once.
link-code = Code
link-qr = The code as a QR code
link-wait = When the device answers, it appears here with six words.
link-arrived = { $name } wants to be linked
link-compare = Compare these six words with those on the device. If one differs, do nothing.
link-confirm = The words are the same: link { $name } for { $days } days
link-finishing = Certifying the device's keys…
link-done = The device is linked.
revoke = Revoke
revoke-title = Revoke a device
revoke-text = Revoke { $name }? It loses access at once, and the team keys that it held are turned.
revoke-do = Revoke { $name }
device-revoking = Ending its sessions and turning keys…
sessions-title = Signed in now
sessions-loading = Asking what is signed in…
session-browser = Browser
session-device = Linked device
session-this = this one
session-line = since { $since }, last used { $seen }
session-end = Sign it out
session-ending = Ending the session…

## Backup

backup-line = Whether everything would come back.
backup-loading = Asking the server about copies and rehearsals…
backup-copy = Newest copy
backup-rehearsal = Last rehearsal
backup-cosigned = Countersigned
backup-never = No copy has been made yet.
backup-kept-all = Complete, { $when }.
backup-kept-behind = { $when }; { $n ->
    [one] 1 change
   *[other] { $n } changes
} newer than the copy.
backup-never-rehearsed = No restore has been rehearsed yet.
backup-rehearsed = { $when }: everything opened.
backup-rehearsal-failed = { $when }: not everything opened.
backup-no-witness = Nobody outside this machine countersigns the ledger yet.
backup-witness = By { $who }, { $when }, up to entry { $n }.
backup-good = A complete copy is elsewhere, and it was rehearsed.
backup-next-start-title = Start a keeper
backup-next-start = Nothing has been copied yet: if this machine is lost, everything is. Start the keeper on another machine or disk.
backup-next-start-command = subrosa keep --from { $origin } --to /mnt/disk/practice
backup-next-stale-title = The keeper has fallen behind
backup-next-stale = The newest copy is older than half an hour. See whether the keeper's machine is on and reaches this server.
backup-next-stale-command = subrosa keep --from { $origin } --to /mnt/disk/practice
backup-next-failed-title = The last rehearsal failed
backup-next-failed = Not everything could be opened from the copy. Rehearse again with the practice kit at hand, and read what it names.
backup-next-failed-command = subrosa restore --from /mnt/disk/practice --to rehearsal
backup-next-rehearse-title = Rehearse a restore
backup-next-rehearse = A copy that was never opened is a hope. Restore it into an empty folder with the practice kit: it takes minutes, touches nothing here, and names whatever is missing.
backup-next-rehearse-command = subrosa restore --from /mnt/disk/practice --to rehearsal
keepers = Keepers
keeper-line = Add a keeper
keeper-hint = The line that its first run printed, such as attic:7Qb…
keeper-add = Add the keeper
keeper-adding = Signing the keeper in…
keeper-added = Added. It takes its first copy within a minute.
keeper-proposed = Proposed. A second person signs it under Team.
keeper-wrong = This is not a keeper’s line. It is a name, a colon and 43 letters and digits.
backup-how-title = How it comes back
backup-how-1 = The practice kit and one backup bring back everything on a blank machine. The kit alone opens nothing, and neither does the backup.
backup-how-2 = The keeper never deletes because this server says so. What is erased is erased there by its own check of two signatures.

## Safety

safety-line = Four promises. Each shows its state, its last proof, and what to do next.
safety-loading = Checking the directory and asking about copies…
promise-1 = Worthless when stolen
promise-1-state = What the server holds is sealed.
promise-1-proof = This browser has just replayed and checked all { $n } signed statements about members, teams and keys. Names and notes are sealed here before they leave.
promise-2 = Hard to reach
promise-2-state = { $n ->
    [one] One member, with passkeys only. No passwords exist.
   *[other] { $n } members, with passkeys only. No passwords exist.
}
promise-2-one-way = You have only one way in.
promise-2-turning = A team key waits to be turned; the next person who writes turns it.
promise-2-proof = You have { $n ->
    [one] 1 way in
   *[other] { $n } ways in
}. Keys go only to those who treat the patient.
promise-3 = Loud when touched
promise-3-state = Every opening is recorded before anything is handed out.
promise-3-witnessed = Every opening is recorded before anything is handed out, and countersigned elsewhere.
promise-3-proof = The ledger has { $n ->
    [one] 1 entry
   *[other] { $n } entries
} as this browser last checked it.
promise-3-next = Have it countersigned by a keeper
promise-4 = Quick to recover

## Settings

settings-you = You
settings-practice = Practice
settings-browser = This browser
settings-two = Dangerous acts
settings-two-yes = need two people
settings-two-no = need one person and seven days
settings-mark-hint = The practice mark is on every kit. If it ever differs, stop.
settings-lock = Locks after { $n } minutes without a key or a touch, in all tabs at once.
settings-colours = Light or dark follows your system.
browser-forget = Forget this browser's copies
browser-forgotten = Forgotten. The next sign-in fetches everything again.

## Import

import-line = From FHIR bundles, bulk NDJSON, C-CDA, a CSV patient list, or a zip of documents per client.
import-drop = Drop files here
import-formats = .json · .ndjson · .xml · .csv · .zip · .pdf
import-choose = Choose files
import-private = Files are read and sealed in this browser. Nothing is sent that could be read.
import-reading = { $n ->
    [one] Reading 1 file…
   *[other] Reading { $n } files…
}
import-reading-one = Reading { $name } ({ $n } of { $of })…
import-unreadable = The browser could not read this file.
import-found = { $patients ->
    [one] 1 patient
   *[other] { $patients } patients
} and { $items ->
    [one] 1 entry
   *[other] { $items } entries
} found
import-found-text = Nothing has been written yet. What you bring in twice is recognised and not doubled.
import-lost = { $n ->
    [one] 1 thing was not taken; the report at the end says why.
   *[other] { $n } things were not taken; the report at the end says why.
}
import-do = { $n ->
    [one] Bring in 1 patient
   *[other] Bring in { $n } patients
}
import-sealing = Making keys and sealing…
import-progress = Sealing and sending: { $done } of { $total }
import-stay = Keep this page open. If it is interrupted, bring in the same files again: it goes on where it stopped.
import-done = The records are in
import-done-text = { $made ->
    [one] 1 new chart
   *[other] { $made } new charts
}, { $known ->
    [one] 1 known chart
   *[other] { $known } known charts
}, { $entries ->
    [one] 1 entry
   *[other] { $entries } entries
} written.
import-refused = Not taken
import-refused-places = { $n } × · { $places }
import-to-patients = Go to patients
import-more = Bring in more
map-title = What is in each column?
map-text = We guessed from the names of the columns. Change what is wrong; columns that mean nothing here are kept with the row.
map-column = Column
map-sample = Example
map-means = Means
map-nothing = Nothing here
map-dates = Which way round are the dates?
order-dmy = Day, month, year
order-mdy = Month, day, year
order-ymd = Year, month, day

## What goes wrong

error-other = Something did not work. Nothing was changed on your side. Try again.
error-locked = Locked. Unlock to go on; your draft is kept.
error-unreachable = The server does not answer. Nothing was lost: what you wrote is still here. Check the network, then try again.
error-upgrade = The server was updated. Lock, then load this page again; drafts are kept.
error-gate-stop = You have opened more charts that are not yours than one person usually needs. A privacy officer or owner has to look at it first; until then your own charts stay open to you.
error-never = Your role does not open this.
error-passkey-cancelled = The passkey was not used. Nothing was sent. Try again when you are ready.
error-passkey-no-secret = This passkey gives no secret to unlock with. Use the seven words, another passkey or the member kit.
error-wrong-words = These are not the words that belong to this passkey. Check them and try again.
error-too-early = This has to wait until { $when }.
error-no-key = Neither you nor your teams hold a key to this part of the chart.
error-conflict = Somebody else changed this since you opened it. Both versions are kept; open the chart again to compare them.
error-swapped-entry = This note does not match what was signed. Nothing was changed on your side. Keep working, and tell your privacy officer.
error-injected-entry = This note does not match what was signed. Nothing was changed on your side. Keep working, and tell your privacy officer.
error-import-nothing = Nothing in these files could be taken. The reasons are below.
error-kit-number = The member number has 32 letters and digits, as printed on the kit.
error-kit-is-practice = This is the practice kit. To sign in, use your member kit.

## Columns of a patient list

field-family_name = Family name
field-given_name = Given name or names
field-full_name = Family and given name in one cell
field-preferred_name = The name the person goes by
field-birth_date = Birth date
field-sex = Sex or gender
field-street = Street and number
field-street_2 = Second address line
field-city = City
field-state = State, province or canton
field-postcode = Postal code
field-country = Country
field-phone = Telephone
field-email = E-mail
field-mrn = The practice's own number for the patient
field-language = Language
field-insurer = Insurer
field-insurance_number = Number with the insurer
