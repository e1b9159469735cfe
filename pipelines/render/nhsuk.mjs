// Pages of an invented clinic, made of the components of nhsuk-frontend: its own Nunjucks macros, our own parameters.
//
// A page names the same components with the same parameters in every release. Where a component was renamed or taken
// out, the page names what followed it, and parameters carry their old and their new name side by side: a macro reads
// the one that it knows.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire, Module } from "node:module";
import { join } from "node:path";

const [out] = process.argv.slice(2);
const { PACKAGE, NODE_MODULES } = process.env;

// The folders there are links, and Node looks for what a package needs beside the place that a link leads to.
process.env.NODE_PATH = NODE_MODULES;
Module._initPaths();
const nunjucks = createRequire(import.meta.url)("nunjucks");

const SEARCH = ["packages/components", "dist/nhsuk/components"].map((folder) => join(PACKAGE, folder));
const components = SEARCH.find((folder) => existsSync(folder));
const env = nunjucks.configure([components, join(PACKAGE, "dist")], { trimBlocks: true, lstripBlocks: true });

/** Return the HTML of the first of some components that this release has; empty if it has none. */
function component(names, params) {
  const name = names.split("|").find((each) => existsSync(join(components, each, "macro.njk")));
  if (!name) return "";
  const macro = readFileSync(join(components, name, "macro.njk"), "utf8").match(/macro (\w+)\(/)[1];
  const source = `{% from "${name}/macro.njk" import ${macro} %}{{ ${macro}(params) }}`;
  return env.renderString(source, { params }).trim();
}

const legend = (text) => ({ fieldset: { legend: { text, classes: "nhsuk-fieldset__legend--m" } } });
const error = (text) => ({ errorMessage: { text } });
const hint = (text) => ({ hint: { text } });
const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");

const input = (id, label, more = {}) => ["input", { id, name: id, label: { text: label }, ...more }];
const area = (id, label, more = {}) => ["textarea", { id, name: id, label: { text: label }, rows: 5, ...more }];
const counted = (id, label, maxlength) => ["character-count|textarea", { id, name: id, label: { text: label }, maxlength }];
const options = (texts) => texts.map((text) => ({ value: slug(text), text }));
const select = (id, label, texts, more = {}) => [
  "select",
  { id, name: id, label: { text: label }, items: [{ value: "", text: "Choose one" }, ...options(texts)], ...more },
];
const choice = (kind) => (name, question, texts, more = {}) => [
  kind,
  { name, idPrefix: name, ...legend(question), items: options(texts), ...more },
];
const radios = choice("radios");
const checkboxes = choice("checkboxes");
const date = (id, question, more = {}) => ["date-input", { id, namePrefix: id, ...legend(question), ...more }];
const button = (text, more = {}) => ["button", { text, ...more }];
const secondary = (text, href) => button(text, { href, classes: "nhsuk-button--secondary" });
const details = (text, html) => ["details", { text, summaryText: text, HTML: html, html }];
const actionLink = (text, href) => ["action-link", { text, href }];
const inset = (html) => ["inset-text", { HTML: html, html }];
const callout = (heading, html) => ["warning-callout", { heading, HTML: html, html }];
const problems = (...items) => [
  "error-summary",
  { titleText: "There is a problem", errorList: items.map(([id, text]) => ({ href: `#${id}`, text })) },
];
const contents = (current, ...pages) => [
  "contents-list",
  { items: pages.map((text) => ({ text, href: `/guides/${slug(text)}`, current: text === current })) },
];
const pages = (previousPage, previousUrl, nextPage, nextUrl) => [
  "pagination",
  { previousPage, previousUrl, nextPage, nextUrl },
];
const card = (heading, href, description) => ["card|promo", { heading, href, description, clickable: "true" }];
const care = (type, heading, html) => ["care-card|card", { type, heading, HTML: html, descriptionHtml: html }];
const doList = (title, type, ...items) => ["do-dont-list", { title, type, items: items.map((item) => ({ item })) }];
const panel = (heading, html) => ["panel|card", { label: heading, titleText: heading, heading, HTML: html, html, descriptionHtml: html }];
const upload = (id, label) => ["file-upload|input", { id, name: id, type: "file", label: { text: label } }];
const password = (id, label) => ["password-input|input", { id, name: id, type: "password", label: { text: label } }];
const tag = (text) => component("tag", { text });

/** Return a summary list: key, value, and the question that "Change" leads back to. */
function answers(...rows) {
  const row = ([key, value, href]) => ({
    key: { text: key },
    value: { text: value },
    actions: { items: href ? [{ href, text: "Change", visuallyHiddenText: key.toLowerCase() }] : [] },
  });
  return ["summary-list", { rows: rows.map(row) }];
}

function table(caption, head, rows) {
  const cells = rows.map((row) => row.map((html) => ({ html })));
  return ["tables", { caption, head: head.map((text) => ({ text })), rows: cells }];
}

/** Return the letters of an index, and one list for each: components until release 5, plain lists afterwards. */
function index(groups) {
  const letters = [..."ABCDEFGHIJKLMNOPRSTUVW"].map((label) => ({ label, disable: !(label in groups) }));
  const plain = (items) => items.map(([link, URL]) => `<li><a href="${URL}">${link}</a></li>`).join("\n");
  const list = ([label, items]) =>
    component("list-panel", {
      id: label,
      label,
      items: items.map(([link, URL]) => ({ link, URL })),
      backToTop: "true",
      backToTopLink: "#nhsuk-nav-a-z",
    }) ||
    component("card", {
      heading: label,
      feature: true,
      descriptionHtml: `<ul class="nhsuk-list" id="${label}">${plain(items)}</ul>`,
    });
  const links = letters.map(({ label, disable }) => (disable ? label : `<a href="#${label}">${label}</a>`));
  const bar = `<nav aria-label="A to Z"><ol class="nhsuk-list">${links.map((link) => `<li>${link}</li>`).join("")}</ol></nav>`;
  return [component("nav-a-z", { items: letters }) || bar, ...Object.entries(groups).map(list)].join("\n");
}

const NAVIGATION = [
  ["Services A to Z", "/services"],
  ["Appointments", "/appointments"],
  ["Prescriptions", "/prescriptions"],
  ["Guides", "/guides"],
  ["Contact us", "/contact"],
];
const SUPPORT = [
  ["Accessibility", "/accessibility"],
  ["Cookies", "/cookies"],
  ["Privacy notice", "/privacy"],
  ["Give feedback", "/feedback"],
  ["Work with us", "/jobs"],
];
const PATIENT = NAVIGATION.slice(1, 4);

const appointmentLinks = (number) =>
  `<a href="/appointments/${number}">View</a> <a href="/appointments/${number}/move">Move</a> ` +
  `<a href="/appointments/${number}/cancel">Cancel</a>`;

const contactWays = [
  { value: "email", text: "E-mail", conditional: { html: component(...input("contact-email", "E-mail address")) } },
  { value: "phone", text: "Phone call", conditional: { html: component(...input("contact-phone", "Phone number")) } },
  { value: "letter", text: "Letter", hint: { text: "It takes about five days to arrive" } },
];

// name, title, where the reader is ("site" or "form"), and what stands on the page. A string is HTML as it is.
const PAGES = [
  ["home", "Riverside Clinic", "site", [
    ["hero", { heading: "Riverside Clinic", text: "Appointments, prescriptions and advice close to the river." }],
    card("Book an appointment", "/appointments/book", "See a doctor, a nurse or the pharmacist."),
    card("Order a repeat prescription", "/prescriptions/order", "Ready at the desk after two working days."),
    card("Get a test result", "/results", "Blood tests and scans from the last two years."),
    actionLink("Find the clinic's opening hours", "/contact/hours"),
    actionLink("Join as a new patient", "/register/name"),
  ]],
  ["services-a-z", "Services A to Z", "site", [
    index({
      A: [["Allergy tests", "/services/allergy"], ["Asthma reviews", "/services/asthma"]],
      B: [["Blood pressure checks", "/services/blood-pressure"], ["Blood tests", "/services/blood-tests"]],
      D: [["Diabetes clinic", "/services/diabetes"]],
      F: [["Flu jabs", "/services/flu"], ["Foot care", "/services/foot"]],
      T: [["Travel vaccines", "/services/travel"]],
    }),
  ]],
  ["guide-back-pain", "Back pain: what helps", "site", [
    contents("What helps", "Overview", "What helps", "When to call", "Exercises"),
    "<p>Most sore backs get better within a few weeks. Keep moving, even if it is only a walk around the block.</p>",
    doList("Do", "tick", "stay active", "use a hot water bottle", "ask about physiotherapy"),
    doList("Don't", "cross", "stay in bed for days", "lift heavy boxes"),
    care("non-urgent", "Talk to the pharmacist if:", "<ul><li>the pain keeps you awake</li><li>tablets do not help</li></ul>"),
    ["images", { src: "/pictures/stretch.jpg", alt: "A woman stretching", caption: "Stretch slowly, twice a day" }],
    pages("Overview", "/guides/overview", "When to call", "/guides/when-to-call"),
  ]],
  ["guide-when-to-call", "Back pain: when to call", "site", [
    contents("When to call", "Overview", "What helps", "When to call", "Exercises"),
    care("urgent", "Call us today if:", '<p>you also have a fever. <a href="/contact/phone">Phone the clinic</a></p>'),
    care("immediate", "Go to hospital if:", '<p>you cannot feel your legs. <a href="/contact/hospitals">Find a hospital</a></p>'),
    callout("Before you drive", '<p>Strong tablets make you sleepy. <a href="/guides/driving">Read about driving</a>.</p>'),
    details("How to describe the pain", "<p>Say where it is, when it began and what makes it worse.</p>"),
    details("What happens after the call", '<p>A nurse rings back. <a href="/guides/call-back">More on calls</a></p>'),
    pages("What helps", "/guides/what-helps", "Exercises", "/guides/exercises"),
  ]],
  ["register-name", "What is your name?", "form", [
    input("first-name", "First name", { autocomplete: "given-name" }),
    input("middle-names", "Middle names", hint("Leave empty if you have none")),
    input("last-name", "Last name", { autocomplete: "family-name" }),
    input("known-as", "What should we call you?"),
    button("Continue"),
    secondary("Save and come back later", "/register/save"),
  ]],
  ["register-name-errors", "What is your name?", "form", [
    problems(["first-name", "Enter your first name"], ["last-name", "Enter your last name"]),
    input("first-name", "First name", error("Enter your first name")),
    input("middle-names", "Middle names", hint("Leave empty if you have none")),
    input("last-name", "Last name", error("Enter your last name")),
    input("known-as", "What should we call you?", { value: "Bo" }),
    button("Continue"),
  ]],
  ["register-birth", "When were you born?", "form", [
    date("birth", "Date of birth", hint("For example, 31 3 1980")),
    radios("sex", "Sex in your records", ["Female", "Male", "I would rather not say"]),
    details("Why we ask", "<p>It tells us which checks to offer you.</p>"),
    button("Continue"),
  ]],
  ["register-birth-errors", "When were you born?", "form", [
    problems(["birth-day", "Date of birth must be in the past"], ["sex-1", "Choose one answer"]),
    date("birth", "Date of birth", { ...hint("For example, 31 3 1980"), ...error("Date of birth must be in the past") }),
    radios("sex", "Sex in your records", ["Female", "Male", "I would rather not say"], error("Choose one answer")),
    button("Continue"),
  ]],
  ["register-address", "Where do you live?", "form", [
    input("address-line-1", "House and street"),
    input("address-line-2", "Flat or building"),
    input("town", "Town", { classes: "nhsuk-u-width-two-thirds" }),
    input("postcode", "Postcode", { classes: "nhsuk-input--width-10", autocomplete: "postal-code" }),
    select("country", "Country", ["England", "Scotland", "Wales", "Northern Ireland"]),
    checkboxes("moved", "Have you moved lately?", ["I moved here less than a year ago"]),
    button("Find address", { name: "find", value: "1", classes: "nhsuk-button--secondary" }),
    button("Continue"),
  ]],
  ["register-contact", "How may we reach you?", "form", [
    ["radios", { name: "contact", idPrefix: "contact", ...legend("Best way to reach you"), items: contactWays }],
    checkboxes("reminders", "Reminders", ["Text me the day before", "E-mail me a week before"]),
    area("times", "Times that do not suit you", hint("For instance, Tuesday mornings")),
    button("Continue"),
  ]],
  ["register-health", "Your health", "form", [
    checkboxes("conditions", "Do you have any of these?", ["Asthma", "Diabetes", "High blood pressure", "None"], hint("Tick all that apply")),
    radios("smoking", "Do you smoke?", ["Never", "I used to", "Yes"], { classes: "nhsuk-radios--inline" }),
    select("exercise", "Hours of sport a week", ["None", "One to three", "Four or more"]),
    counted("allergies", "Allergies", 200),
    area("medicines", "Medicines you take now"),
    button("Continue"),
  ]],
  ["register-upload", "Show us who you are", "form", [
    inset('<p>You can also <a href="/contact/desk">bring your papers to the desk</a>.</p>'),
    upload("identity", "Passport or driving licence"),
    upload("proof", "Proof of address"),
    radios("kind", "Which paper did you choose?", ["Passport", "Driving licence", "Another paper"]),
    button("Upload and continue"),
    secondary("Skip this step", "/register/check"),
  ]],
  ["register-check", "Check your answers", "form", [
    answers(
      ["Name", "Bola Adeyemi", "/register/name"],
      ["Date of birth", "31 March 1980", "/register/birth"],
      ["Address", "4 Mill Lane, Ripley", "/register/address"],
      ["Contact", "bola@example.com", "/register/contact"],
      ["Conditions", "Asthma", "/register/health"],
    ),
    checkboxes("declaration", "Declaration", ["What I wrote is true", "I agree to the privacy notice"]),
    button("Send the form"),
    secondary("Print", "/register/print"),
  ]],
  ["register-done", "You are registered", "site", [
    panel("You are registered", "<p>Your number is RC-2041.</p>"),
    '<p>We have sent an e-mail to <a href="mailto:bola@example.com">bola@example.com</a>.</p>',
    actionLink("Book your first check", "/appointments/book"),
    actionLink("Download the welcome letter", "/register/letter.pdf"),
    ["feedback-banner", { text: "Tell us what you think of this form" }],
  ]],
  ["sign-in", "Sign in", "form", [
    input("email", "E-mail address", { type: "email", autocomplete: "email" }),
    password("password", "Password"),
    checkboxes("remember", "This device", ["Keep me signed in"]),
    button("Sign in", { name: "action", value: "sign-in" }),
    '<p><a href="/account/forgotten">I forgot my password</a></p>',
    secondary("Create an account", "/account/new"),
  ]],
  ["sign-in-errors", "Sign in", "form", [
    problems(["email", "No account has this address"], ["password", "Enter your password"]),
    input("email", "E-mail address", { type: "email", value: "bola@example", ...error("No account has this address") }),
    ["password-input|input", { id: "password", name: "password", type: "password", label: { text: "Password" }, ...error("Enter your password") }],
    button("Sign in", { name: "action", value: "sign-in" }),
    '<p><a href="/account/forgotten">I forgot my password</a></p>',
  ]],
  ["account-password", "Change your password", "form", [
    password("current-password", "Current password"),
    password("new-password", "New password"),
    password("repeat-password", "New password, again"),
    details("What makes a good password", "<p>Three words that do not belong together.</p>"),
    button("Save password"),
    secondary("Cancel", "/account"),
  ]],
  ["account-details", "Your details", "form", [
    answers(
      ["Name", "Bola Adeyemi", "/account/name"],
      ["E-mail", "bola@example.com", "/account/email"],
      ["Phone", "01632 960 001", "/account/phone"],
      ["Doctor", "Dr Hanna Lind", "/account/doctor"],
      ["Patient number", "RC-2041", null],
    ),
    button("Download my records", { name: "records", value: "all" }),
    button("Close my account", { href: "/account/close", classes: "nhsuk-button--reverse" }),
  ]],
  ["appointments", "Your appointments", "site", [
    table("Coming up", ["When", "With", "State", "Actions"], [
      ["3 June, 9:20", "Dr Hanna Lind", tag("Confirmed") || "Confirmed", appointmentLinks(71)],
      ["19 June, 14:00", "Nurse Paul Okoro", tag("Waiting") || "Waiting", appointmentLinks(72)],
      ["2 July, 8:40", "Blood tests", tag("Confirmed") || "Confirmed", appointmentLinks(75)],
    ]),
    button("Book an appointment", { href: "/appointments/book" }),
    secondary("Show past appointments", "/appointments/past"),
    pages(null, null, "Past appointments", "/appointments/past"),
  ]],
  ["appointments-book", "Book an appointment", "form", [
    select("who", "Who would you like to see?", ["Any doctor", "Dr Hanna Lind", "Dr Omar Aziz", "Nurse Paul Okoro"]),
    radios("place", "How?", ["At the clinic", "By phone", "By video"], { classes: "nhsuk-radios--inline" }),
    date("day", "Which day?", hint("We are closed on Sundays")),
    radios("time", "What time?", ["9:20", "10:40", "14:00", "16:20"]),
    counted("reason", "What is it about?", 300),
    checkboxes("needs", "What do you need?", ["An interpreter", "Step-free access", "A longer appointment"]),
    button("Book"),
  ]],
  ["appointments-cancel", "Cancel an appointment", "form", [
    callout("You cannot undo this", "<p>Another patient may take the time straight away.</p>"),
    answers(["When", "3 June, 9:20", null], ["With", "Dr Hanna Lind", null]),
    radios("why", "Why do you cancel?", ["I feel better", "The time does not suit me", "Another reason"]),
    area("why-details", "Anything we should know?"),
    button("Cancel the appointment", { name: "confirm", value: "yes" }),
    secondary("Keep the appointment", "/appointments/71"),
  ]],
  ["prescriptions-order", "Order a repeat prescription", "form", [
    checkboxes("items", "Which medicines?", ["Salbutamol inhaler", "Ramipril 5 mg", "Metformin 500 mg", "Vitamin D"]),
    select("pharmacy", "Collect from", ["Clinic desk", "Mill Lane Pharmacy", "Station Chemist"]),
    radios("hurry", "When do you need them?", ["Within two days", "Within a week"]),
    area("note", "Message for the pharmacist"),
    button("Order"),
    secondary("See past orders", "/prescriptions/past"),
  ]],
  ["prescriptions", "Your prescriptions", "site", [
    table("Orders", ["Ordered", "Medicines", "State", ""], [
      ["2 May", "Ramipril, Metformin", "Ready", '<a href="/prescriptions/301">View order 301</a>'],
      ["4 April", "Salbutamol", "Collected", '<a href="/prescriptions/288">View order 288</a>'],
      ["1 March", "Ramipril", "Collected", '<a href="/prescriptions/270">View order 270</a>'],
    ]),
    actionLink("Order a repeat prescription", "/prescriptions/order"),
    details("Who may collect for me?", '<p>Anyone you <a href="/account/helpers">name as a helper</a>.</p>'),
  ]],
  ["results-search", "Search results for vaccine", "site", [
    '<form action="/search" method="get" id="page-search">' +
      component(...input("query", "Search this site", { type: "search", value: "vaccine" })) +
      component(...select("section", "Look in", ["All pages", "Services", "Guides"])) +
      component(...button("Search again")) + "</form>",
    '<ul class="nhsuk-list"><li><a href="/services/travel">Travel vaccines</a></li>' +
      '<li><a href="/services/flu">Flu jabs</a></li><li><a href="/guides/children">Vaccines for children</a></li></ul>',
    pages(null, null, "Next results", "/search?query=vaccine&page=2"),
  ]],
  ["cookies", "Choose your cookies", "form", [
    radios("measure", "Cookies that count visits", ["Use them", "Do not use them"]),
    radios("remember-settings", "Cookies that keep your settings", ["Keep settings", "Forget settings"]),
    details("List of cookies", "<p>session, language, visits</p>"),
    button("Save my choice"),
  ]],
  ["feedback", "Give feedback", "form", [
    radios("rating", "How was your visit?", ["Very good", "Good", "Neither good nor bad", "Poor"]),
    counted("better", "What could we do better?", 500),
    checkboxes("topics", "What is it about?", ["The staff", "The building", "Waiting times", "This website"]),
    input("reply-to", "E-mail address, if you want a reply", { type: "email" }),
    button("Send feedback"),
  ]],
  ["contact", "Contact us", "site", [
    '<p>Phone <a href="tel:01632960100">01632 960 100</a> or write to <a href="mailto:desk@riverside.example">the desk</a>.</p>',
    table("Opening hours", ["Day", "Hours"], [["Monday to Friday", "8:00 to 18:30"], ["Saturday", "9:00 to 12:00"]]),
    actionLink("See the clinic on a map", "/contact/map"),
    inset('<p>At night, call the <a href="/contact/night">out-of-hours service</a>.</p>'),
    card("Parking", "/contact/parking", "Two hours free behind the building."),
    card("Bus stops", "/contact/buses", "Lines 4 and 12 stop at the door."),
  ]],
  ["tests-tabs", "Your test results", "site", [
    ["tabs", { id: "tests", items: [
      { label: "Blood", id: "blood", panel: { html: '<p>All normal. <a href="/results/51">Read report 51</a></p>' } },
      { label: "Scans", id: "scans", panel: { html: '<p>None yet. <a href="/results/how">How scans work</a></p>' } },
    ] }],
    answers(["Cholesterol", "4.6", "/results/51/cholesterol"], ["Iron", "14.2", "/results/51/iron"]),
    actionLink("Ask a nurse about a result", "/results/ask"),
    secondary("Download all results", "/results/all.pdf"),
  ]],
  ["not-found", "Page not found", "site", [
    '<p>Check the address, or <a href="/search">search the site</a>.</p>',
    actionLink("Go to the start page", "/"),
    actionLink("Tell us about a broken link", "/feedback"),
  ]],
];

/** Return the site's header: with search and navigation, or, inside a form, with the service's name alone. */
function header(kind, turn) {
  const service = "Riverside patient service";
  if (kind === "form" && turn % 2) {
    const link = { name: service, text: service, href: "/service" };
    return component("header", { transactionalService: link, service: newer() ? link : undefined, logo: { href: "/" } });
  }
  const links = kind === "form" ? PATIENT : NAVIGATION;
  return component("header", {
    showNav: "true",
    showSearch: kind === "form" ? "false" : "true",
    primaryLinks: links.map(([label, url]) => ({ label, url })),
    navigation: { items: links.map(([text, href]) => ({ text, href })) },
    search: kind === "form" ? undefined : { action: "/search", name: "q" },
    searchAction: "/search",
    searchInputName: "q",
    service: turn % 3 ? undefined : { name: service, text: service, href: newer() ? "/service" : undefined },
    logo: { href: "/" },
    ariaLabel: "Riverside home",
  });
}

/** Return whether the release is of the kind that release 10 began, with the package's parts under ``dist``. */
function newer() {
  return components.includes("dist");
}

function footer() {
  const items = SUPPORT.map(([text, href]) => ({ text, href, label: text, URL: href }));
  return component("footer", { links: items, meta: { items }, copyright: "Riverside Clinic" });
}

function trail(name, title, kind) {
  if (kind === "form") return component("back-link", { href: `/back/${name}`, text: "Go back" });
  const items = [{ text: "Start", href: "/" }, { text: "Riverside", href: "/riverside" }];
  return component("breadcrumb", { items, text: title, href: `/${name}` });
}

function page([name, title, kind, parts], turn) {
  const inside = parts.map((part) => (typeof part === "string" ? part : component(...part))).join("\n");
  const main = kind === "form" ? `<form action="/${name}" method="post" novalidate>\n${inside}\n</form>` : inside;
  const heading = name === "home" ? "" : `<h1 class="nhsuk-heading-xl">${title}</h1>`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title} - Riverside Clinic</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/assets/site.css">
</head>
<body>
${component("skip-link", { href: "#maincontent", text: "Skip to main content" })}
${header(kind, turn)}
<div class="nhsuk-width-container">
${trail(name, title, kind)}
<main class="nhsuk-main-wrapper" id="maincontent" role="main">
<div class="nhsuk-grid-row">
<div class="nhsuk-grid-column-two-thirds">
${heading}
${main}
</div>
</div>
</main>
</div>
${footer()}
<script src="/assets/site.js"></script>
</body>
</html>
`;
}

mkdirSync(out, { recursive: true });
PAGES.forEach((each, turn) => writeFileSync(join(out, `${each[0]}.html`), page(each, turn)));
