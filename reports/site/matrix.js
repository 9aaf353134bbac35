"use strict";

const WORST_FIRST = ["c", "t", "e", "f", "n", "s", "p", "u"];
const ABSENT = ".";
const BUILTIN = "builtin";
const MOST_OPENED = 1500; // cells that a filter shows at once

let letters; // outcome by letter
let columns; // of the newest run, each as it is shown
let probes;
const cells = new Map(); // by id: its check, and its column
const BAD = new Set(["fail", "error", "crash", "timeout"]);

function readMatrix(data) {
  letters = data.letters;
  columns = data.columns.map((column, index) => ({
    ...column,
    key: `${column.build}-${column.device}`,
    index,
    letter: (check) => check.letters[index],
  }));
  probes = data.probes.map((probe, number) => ({
    ...probe,
    family: probe.name.split(".")[0],
    checks: probe.checks.map(([id, subject, values, outcomes, notes, flaky, unexpected, changed], row) => ({
      id, subject, values, flaky, unexpected, changed, number, row, probe,
      letters: outcomes,
      notes: new Map(Object.entries(notes).map(([column, note]) => [+column, data.notes[note]])),
    })),
  }));
  for (const probe of probes) {
    for (const check of probe.checks) {
      for (const column of columns) {
        if (column.letter(check) !== ABSENT) cells.set(`${check.id}@${column.key}`, { check, column });
      }
    }
  }
}

// By two builds, older..newer: the answers in which they differ; undefined until it is loaded.
let changes;

/** The answers in which the two compared builds differ, and which of the two is the older one. */
function answersOf(pair) {
  const [one, other] = pair.map((column) => column.key);
  if (!changes || pair.some((column) => column.past !== undefined)) return undefined;
  for (const [old, now] of [[one, other], [other, one]]) {
    const pair = changes.pairs[`${old}..${now}`];
    if (!pair) continue;
    return { old, now, said: pair.said, rows: pair.rows.map((row) => row.map((number) => changes.texts[number])) };
  }
  return undefined;
}

/** The two columns that are compared, or undefined. */
function compared() {
  const names = (state.compare ?? "").split("..");
  const found = names.map(columnNamed);
  return names.length === 2 && found.every(Boolean) ? found : undefined;
}

/** By its key; else by a build, a version or a series, with its device or without: 2.13-cuda. */
function columnNamed(name) {
  const all = [...columns, ...pastColumns()];
  const [, short, device = state.device] = name.match(/^(.*?)(?:-(cpu|cuda))?$/s);
  const there = all.filter((column) => !device || column.device === device);
  const alike = there.filter((column) => column.past === undefined && isOf(column.version, short));
  return all.find((column) => column.key === name)
    ?? there.find((column) => column.build === short)
    ?? alike.findLast((column) => column.device === "cpu")
    ?? alike.at(-1);
}

/** Whether a release, such as 2.13.0+cu130, is a version or of a series. */
function isOf(version, name) {
  const release = version.split("+")[0];
  return release === name || (/^\d+\.\d+$/.test(name) && /^[\d.]+$/.test(release) && release.startsWith(`${name}.`));
}

/** A device after the other. */
function shownColumns() {
  const devices = new Set(columns.map((column) => column.device));
  const grouped = [...devices].flatMap((device) => columns.filter((column) => column.device === device));
  return compared() ?? grouped.filter((column) => !state.device || column.device === state.device);
}

/** Whether a device's columns begin there, and another's end. */
function begins(column, shown) {
  const before = shown[shown.indexOf(column) - 1];
  return before !== undefined && before.device !== column.device;
}

/** Whether few enough are left that their probes are shown opened. */
function opens(rows, shown) {
  const left = rows.reduce((sum, row) => sum + row.checks.length, 0);
  const some = state.subject || state.path || state.outcome || state.only || state.q || compared();
  return Boolean(some) && left * shown.length <= MOST_OPENED;
}

function matching(shown) {
  const outcomes = state.outcome?.split(",");
  const marks = state.only?.split(",") ?? []; // as lists of a check's columns are named
  const words = (state.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const pair = compared();
  const answers = pair && answersOf(pair);
  const changed = new Set(answers?.rows.map(([, id]) => id));
  const differ = (check) => changed.has(check.id) || pair[0].letter(check) !== pair[1].letter(check);
  return (check) => {
    if (state.path && !check.values.includes(state.path)) return false;
    if (state.subject && check.subject !== state.subject) return false;
    if (!marks.every((mark) => shown.some((column) => check[mark]?.includes(column.index)))) return false;
    if (pair && !differ(check)) return false;
    if (outcomes && !shown.some((column) => outcomes.includes(letters[column.letter(check)]))) {
      return false;
    }
    if (!words.length) return true;
    const notes = shown.map((column) => check.notes.get(column.index) ?? "");
    const text = [check.id, check.probe.question, ...notes].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

function renderMatrix() {
  const table = document.getElementById("table");
  const focused = document.activeElement?.dataset.key;
  const shown = shownColumns();
  const fits = matching(shown);
  const rows = probes
    .map((probe) => ({ probe, checks: probe.checks.filter(fits) }))
    .filter((row) => row.checks.length);
  const open = opens(rows, shown);
  table.tHead.replaceChildren(headRow(shown));
  for (const body of [...table.tBodies]) body.remove();
  for (const family of new Set(rows.map((row) => row.probe.family))) {
    table.append(familyBody(family, rows.filter((row) => row.probe.family === family), shown, open));
  }
  const again = focused ? table.querySelector(`[data-key="${CSS.escape(focused)}"]`) : undefined;
  rove(again);
  again?.focus();
  sayCount(rows, shown);
  renderChanges();
}

/** Above the matrix: what two builds answer otherwise. */
function renderChanges() {
  const list = document.getElementById("changes");
  const pair = compared();
  const answers = pair && answersOf(pair);
  list.hidden = !answers;
  if (!answers) return;
  const [totals, ...notes] = answers.said;
  const about = [`From ${answers.old} to ${answers.now}: ${totals}`, ...notes];
  const items = answers.rows.map(([change, check, name, before, after]) => {
    const cell = `${check}@${answers.now}`;
    const said = el("code", {}, `${check}.${name}`);
    // What several cells say together is no cell.
    const shown = cells.has(cell) ? el("a", { href: address({ ...state, cell }) }, said) : said;
    return el("li", { class: `change ${change}` },
      el("strong", {}, change), " ", shown, `: ${before} → ${after}`);
  });
  list.replaceChildren(...about.map((each) => el("p", {}, each)), el("ul", {}, ...items));
}

function sayCount(rows, shown) {
  const total = probes.reduce((sum, probe) => sum + probe.checks.length, 0);
  const left = rows.reduce((sum, row) => sum + row.checks.length, 0);
  const pair = compared();
  const what = pair
    ? `${left} of ${total} checks differ between ${pair[0].key} and ${pair[1].key}`
    : `${left} of ${total} checks on ${shown.length} of ${columns.length} builds`;
  const missing = state.compare && !pair ? ` Not in this report: ${state.compare}.` : "";
  const none = left ? "" : " Nothing fits the filter.";
  document.getElementById("count").textContent = `${what}.${missing}${none}`;
}

function headRow(shown) {
  const heads = shown.map((column) =>
    el("th", { scope: "col", title: column.version, class: begins(column, shown) && "first" },
      el("span", { class: "build" }, ...breakable(column.build)),
      el("span", { class: "sub" }, column.device),
      el("span", { class: "sub" }, ...day(column.date)),
    ),
  );
  return el("tr", {}, el("th", { scope: "col", class: "corner" }, "check"), ...heads);
}

/** A day, which may be broken after its year. */
function day(date) {
  const [year, ...rest] = date.split("-");
  return date ? [`${year}-`, el("wbr"), el("span", { class: "whole" }, rest.join("-"))] : ["never seen"];
}

/** A build's id, which may be broken after a dot or a hyphen. */
function breakable(id) {
  return id.split(/(?<=[.-])/).flatMap((part) => [part, el("wbr")]);
}

function familyBody(family, rows, shown, allOpen) {
  const name = el("th", { scope: "rowgroup", colspan: shown.length + 1 }, el("span", {}, family));
  const body = el("tbody", {}, el("tr", { class: "family" }, name));
  for (const { probe, checks } of rows) {
    const alone = probe.checks.length === 1;
    const open = !alone && allOpen !== isToggled(probe.name);
    body.append(alone ? checkRow(checks[0], shown, probeName(probe)) : probeRow(probe, checks, shown, open));
    if (open) body.append(...checks.map((check) => checkRow(check, shown, checkName(check))));
  }
  return body;
}

function probeName(probe) {
  const name = probe.name.slice(probe.family.length + 1) || probe.name;
  return [el("span", { class: "name" }, name), el("span", { class: "question" }, probe.question)];
}

function checkName(check) {
  const subject = check.subject === BUILTIN ? [] : [check.subject];
  return [el("span", { class: "values" }, [...subject, ...check.values].join(" · "))];
}

/** Of a check's id; a builtin one names none. */
function subjectOf(id) {
  return id.match(/^([^[]*?):/)?.[1] ?? BUILTIN;
}

function probeRow(probe, checks, shown, open) {
  const button = el("button", { type: "button", "aria-expanded": String(open), "data-key": probe.name, tabindex: "-1" },
    ...probeName(probe));
  const row = el("tr", { class: "probe", "data-probe": probe.name }, el("th", { scope: "row" }, button));
  for (const column of shown) row.append(summary(checks, column));
  return row;
}

/** The worst outcome of a probe's checks, and of how many it is. */
function summary(checks, column) {
  const seen = checks.map(column.letter).filter((letter) => letter && letter !== ABSENT);
  const worst = WORST_FIRST.find((letter) => seen.includes(letter));
  if (!worst) return el("td");
  const number = seen.filter((letter) => letter === worst).length;
  const share = number === seen.length ? `all ${number}` : `${number} of ${seen.length}`;
  const outcome = letters[worst];
  const red = checks.filter((check) => BAD.has(letters[column.letter(check)]));
  const known = red.length > 0 && column.past === undefined
    && !red.some((check) => check.unexpected.includes(column.index));
  const said = `${outcome}${known ? ", known failure" : ""}: ${share}`;
  return el("td", { class: `is-${outcome}${known ? " known" : ""}`, title: said },
    glyph(outcome),
    el("span", { class: "hidden" }, said),
    red.length && !known ? el("span", { class: "mark new", "aria-hidden": "true" }, "new") : "",
    number === seen.length ? "" : el("span", { class: "share", "aria-hidden": "true" }, `${number}/${seen.length}`),
  );
}

function checkRow(check, shown, name) {
  const row = el("tr", { class: "check" }, el("th", { scope: "row" }, ...name));
  for (const column of shown) row.append(cell(check, column));
  return row;
}

function cell(check, column) {
  const outcome = letters[column.letter(check)];
  if (!outcome) return el("td");
  const id = `${check.id}@${column.key}`;
  const flaky = check.flaky.includes(column.index);
  const note = check.notes.get(column.index);
  const known = BAD.has(outcome) && column.past === undefined && !check.unexpected.includes(column.index);
  const changed = check.changed.includes(column.index);
  const said = [outcome, known && "known failure", flaky && "flaky", changed && "changed"].filter(Boolean).join(", ");
  const label = `${said}: ${id}`;
  const button = el("button",
    { type: "button", class: "cell", "data-key": id, "data-cell": id, "aria-label": label, tabindex: "-1",
      title: note ? `${said}: ${note}` : said },
    glyph(outcome), flaky ? el("span", { class: "flaky" }) : "", changed ? el("span", { class: "mark" }, "≠") : "",
    BAD.has(outcome) && !known ? el("span", { class: "mark new" }, "new") : "");
  return el("td", { class: `is-${outcome}${known ? " known" : ""}` }, button);
}

function onMatrixClick(event) {
  const button = event.target.closest("[data-cell]");
  if (button) {
    go({ cell: button.dataset.cell });
    return;
  }
  const probe = event.target.closest("[data-probe]")?.dataset.probe;
  if (probe === undefined) return;
  toggle(probe);
}

/** Tab stops once in the matrix, where it was last; the arrow keys go on from there. */
function rove(to) {
  const table = document.getElementById("table");
  const target = to ?? table.querySelector("tbody button");
  for (const button of table.querySelectorAll('button[tabindex="0"]')) button.tabIndex = -1;
  if (target) target.tabIndex = 0;
}

/** The arrow keys go from cell to cell. */
function onMatrixKey(event) {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  const at = event.target.closest("td, th");
  if (!step || !at || event.target.tagName !== "BUTTON") return;
  const rows = [...at.closest("table").querySelectorAll("tr.probe, tr.check")];
  const row = rows.indexOf(at.parentElement);
  let [y, x] = [row + step[0], at.cellIndex + step[1]];
  let next;
  while (!next && rows[y]?.cells[x]) {
    // Below a probe's name come its checks, whose first cell is a build's.
    next = (x ? rows[y].cells[x] : rows[y]).querySelector("button");
    [y, x] = [y + step[0], x + step[1]];
  }
  next ??= step[1] < 0 ? rows.slice(0, row).findLast((each) => each.dataset.probe)?.querySelector("button") : undefined;
  if (!next) return;
  event.preventDefault();
  next.focus();
}
