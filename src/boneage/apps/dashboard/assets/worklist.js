// The worklist of the dashboard: rows that are sorted, filtered, edited and opened here, at once;
// what was done is told to the server as numbered events, repeated until it has handled them.

const ICONS = {
  finding: "M12 3 1.5 21h21L12 3Zm1 14h-2v-2h2v2Zm0-4h-2V9h2v4Z",
  contradiction: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20Zm1 15h-2v-2h2v2Zm0-4h-2V7h2v6Z",
  patient: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm0 2c-4 0-8 2-8 5v1h16v-1c0-3-4-5-8-5Z",
  duplicate: "M8 3h11a2 2 0 0 1 2 2v11h-2V5H8V3ZM4 7h11a2 2 0 0 1 2 2v12H4a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1Z",
  saved: "M5 3h11l5 5v13H3V5a2 2 0 0 1 2-2Zm7 16a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM6 5v4h9V5H6Z",
  reader: "M9 16.2 4.8 12l-1.4 1.4L9 19 21 7l-1.4-1.4L9 16.2Z",
};
const COLUMNS = [
  ["image", row => row.name.toLowerCase()],
  ["sex", row => row.sex || "~"],
  ["age", row => months(row.age || row.ageStated)],
  ["height", row => parseFloat(row.height) || Infinity],
  ["boneAge", row => row.boneAgeMonths ?? Infinity],
  ["difference", row => row.differenceMonths ?? Infinity],
  ["warnings", row => -row.marks.length],
];

function months(text) {
  const found = /^(?:(\d+(?:\.\d+)?)y)?\s*(?:(\d+(?:\.\d+)?)m?)?$/.exec((text || "").trim());
  return found && text ? 12 * (found[1] || 0) + Number(found[2] || 0) : Infinity;
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined && child !== ""));
  return made;
}

class Worklist {
  constructor(root) {
    this.root = root;
    this.sorted = null;
    this.downwards = true;
    this.chosen = new Set();
    this.events = [];
    this.drawn = new Map();
  }

  update(data, send) {
    this.send = send;
    if (!this.started) { this.number = data.handled; this.started = true; }
    this.number = Math.max(this.number, data.handled);
    this.events = this.events.filter(event => event.number > data.handled);
    this.data = data;
    this.words = data.words;
    const keys = new Set(data.rows.map(row => row.key));
    for (const key of this.chosen) if (!keys.has(key)) this.chosen.delete(key);
    if (this.opened === undefined || !this.events.some(event => event.kind === "open")) this.opened = data.opened;
    this.draw();
    if (this.events.length) this.send("events", this.events);
  }

  tell(kind, keys, more = {}) {
    this.number += 1;
    this.events.push({ number: this.number, kind, keys, ...more });
    this.send("events", [...this.events]);
  }

  open(key) {
    const row = this.data.rows.find(one => one.key === key);
    if (!row || row.status === "rejected") return;
    this.opened = key;
    document.dispatchEvent(new CustomEvent("boneage-open", { detail: key }));
    this.draw();
    this.tell("open", [key]);
  }

  shown() {
    const wanted = (this.search?.value || "").trim().toLowerCase();
    let rows = this.data.rows.filter(row =>
      `${row.name} ${row.patient} ${row.statusText} ${row.classification || ""} ${row.reason}`.toLowerCase().includes(wanted));
    if (this.sorted) {
      const by = COLUMNS.find(([name]) => name === this.sorted)[1];
      const way = this.downwards ? 1 : -1;
      rows = [...rows].sort((one, other) => {
        const [a, b] = [by(one), by(other)];
        if (a === b) return 0;
        if (a === Infinity) return 1;
        if (b === Infinity) return -1;
        return (a < b ? -1 : 1) * way;
      });
    }
    return rows;
  }

  frame() {
    const words = this.words;
    this.search = element("input", { type: "search", placeholder: words.filter, "aria-label": words.filter,
      oninput: () => this.draw() });
    this.many = element("div", { class: "many" });
    this.body = element("tbody");
    this.all = element("input", { type: "checkbox", "aria-label": words.chooseAll, onchange: () => {
      for (const row of this.shown()) this.all.checked ? this.chosen.add(row.key) : this.chosen.delete(row.key);
      this.draw();
    } });
    this.heads = {};
    const heads = COLUMNS.map(([name]) => {
      const button = element("button", { type: "button", onclick: () => this.sort(name) }, words[name]);
      const head = element("th", { scope: "col", "aria-sort": "none" }, button);
      this.heads[name] = head;
      return head;
    });
    const [image, ...rest] = heads;
    const table = element("table", { "aria-label": words.table },
      element("thead", {}, element("tr", {}, element("td", {}, this.all), element("td", {}), image, ...rest)), this.body);
    this.box = element("div", { class: "frame", onkeydown: event => this.key(event) }, table);
    this.root.replaceChildren(element("div", { class: "tools" }, this.search), this.many, this.box);
  }

  sort(name) {
    this.downwards = this.sorted === name ? !this.downwards : true;
    this.sorted = name;
    this.draw();
  }

  draw() {
    if (this.language !== JSON.stringify(this.words)) {
      this.language = JSON.stringify(this.words);
      this.drawn.clear();
      this.frame();
    }
    this.root.hidden = this.data.rows.length === 0;
    for (const [name, head] of Object.entries(this.heads)) {
      const sorted = this.sorted === name;
      head.setAttribute("aria-sort", sorted ? (this.downwards ? "ascending" : "descending") : "none");
      head.firstChild.textContent = this.words[name] + (sorted ? (this.downwards ? " ▲" : " ▼") : "");
    }
    const rows = this.shown();
    const kept = new Set(rows.map(row => row.key));
    for (const [key, one] of this.drawn) {
      if (!kept.has(key)) { one.line.remove(); one.reason.remove(); this.drawn.delete(key); }
    }
    let before = null;
    for (const row of rows) {
      const one = this.line(row);
      for (const part of [one.line, one.reason]) {
        const next = before ? before.nextSibling : this.body.firstChild;
        if (next !== part) this.body.insertBefore(part, next);
        before = part;
      }
    }
    if (!rows.some(row => row.key === this.focused)) this.focused = rows[0]?.key;
    for (const row of rows) {
      const { line } = this.drawn.get(row.key);
      line.tabIndex = row.key === (this.focused ?? this.opened) ? 0 : -1;
      line.setAttribute("aria-selected", row.key === this.opened);
    }
    this.drawMany(rows);
  }

  line(row) {
    const chosen = this.chosen.has(row.key);
    const state = JSON.stringify([row, chosen]);
    let one = this.drawn.get(row.key);
    if (one && one.state === state) return one;
    if (!one) {
      one = { line: element("tr", { class: "row", "data-key": row.key }), reason: element("tr", { class: "reason" }) };
      one.line.addEventListener("click", event => {
        if (event.composedPath()[0].closest("input, select, button")) return;
        this.focused = row.key;
        this.open(row.key);
        one.line.focus({ preventScroll: true });
      });
      this.drawn.set(row.key, one);
    }
    one.state = state;
    const active = this.active();
    const held = active && one.line.contains(active) && active.dataset.field
      ? { field: active.dataset.field, value: active.value, start: active.selectionStart, written: active.dataset.written } : null;
    one.line.replaceChildren(...this.cells(row, chosen));
    one.line.setAttribute("aria-label", [row.name, row.patient, row.statusText, row.boneAge].filter(Boolean).join(", "));
    if (held) {
      const field = one.line.querySelector(`[data-field="${held.field}"]`);
      if (field && held.written) { field.value = held.value; field.dataset.written = "1"; }
      field?.focus({ preventScroll: true });
      if (field?.setSelectionRange && held.start !== null) field.setSelectionRange(held.start, held.start);
    }
    one.reason.replaceChildren();
    one.reason.hidden = !row.reason;
    if (row.reason) one.reason.append(element("td", { colspan: 2 }), element("td", { colspan: 7 }, row.reason));
    return one;
  }

  active() {
    return this.root.getRootNode().activeElement;
  }

  cells(row, chosen) {
    const words = this.words;
    const box = element("input", { type: "checkbox", "aria-label": `${words.choose} ${row.name}`, onchange: event => {
      if (event.shiftKey) return;
      box.checked ? this.chosen.add(row.key) : this.chosen.delete(row.key);
      this.draw();
    } });
    box.checked = chosen;
    const picture = row.thumbnail ? element("img", { src: row.thumbnail, alt: "", loading: "lazy" }) : "";
    const name = element("td", { class: "name" }, row.name, element("span", { class: "second" }, row.patient || ""));
    const first = [element("td", { class: "box" }, box), element("td", { class: "picture" }, picture), name];
    if (row.status === "rejected") {
      return [...first, element("td", { colspan: 5, class: "status" }, row.statusText), element("td", { class: "marks" }, this.bin(row))];
    }
    const sex = this.select(row);
    const answers = row.boneAge
      ? [element("td", { class: "number answer" }, element("span", { class: "strong" }, row.boneAge),
          element("span", { class: "second" }, row.interval || "")),
        element("td", { class: `number difference ${row.outside ? "outside" : ""}` }, element("span", { class: "first" }, row.difference || ""),
          element("span", { class: "second" }, [row.sds, row.classification].filter(Boolean).join(" · ")))]
      : [element("td", { colspan: 2, class: "status" }, row.statusText,
          row.status === "analysing" ? element("div", { class: "bar" }, element("i")) : "")];
    const marks = row.marks.map(mark => this.mark(mark));
    return [...first, element("td", { class: "sex" }, sex),
      element("td", { class: "age" }, this.field(row, "age", row.ageStated, words.ageHint)),
      element("td", { class: "heights" }, this.field(row, "height", "", words.heightHint)),
      ...answers, element("td", { class: "marks" }, ...marks, this.bin(row))];
  }

  bin(row) {
    return element("button", { type: "button", class: "small bin", "aria-label": `${this.words.remove} ${row.name}`,
      title: this.words.remove, onclick: () => this.tell("remove", [row.key]) }, "×");
  }

  mark(mark) {
    const icon = element("span", { class: `mark ${mark.kind}`, role: "img", "aria-label": mark.text, title: mark.text });
    icon.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path fill="currentColor" d="${ICONS[mark.kind]}"/></svg>`;
    return icon;
  }

  select(row) {
    const field = element("select", { "data-field": "sex", "aria-label": `${this.words.sex}: ${row.name}`, onchange: () =>
      this.edit(row, "sex", field.value) },
      ...[["", "–"], ["female", this.words.female], ["male", this.words.male]].map(([value, text]) =>
        element("option", { value }, text)));
    field.value = row.sex;
    field.disabled = row.busy;
    return field;
  }

  field(row, name, stated, hint) {
    const field = element("input", { type: "text", "data-field": name, placeholder: stated || "", title: row.problems[name] || hint,
      "aria-label": `${this.words[name]}: ${row.name}`, "aria-invalid": Boolean(row.problems[name]), autocomplete: "off",
      oninput: () => { field.dataset.written = "1"; },
      onchange: () => { delete field.dataset.written; this.edit(row, name, field.value); },
      onkeydown: event => { if (event.key === "Enter") field.blur(); } });
    field.value = row[name] || "";
    field.disabled = row.busy;
    return field;
  }

  edit(row, field, text) {
    row[field] = text;
    this.tell("edit", [row.key], { field, text });
  }

  drawMany(rows) {
    const words = this.words;
    this.all.checked = rows.length > 0 && rows.every(row => this.chosen.has(row.key));
    this.all.indeterminate = !this.all.checked && rows.some(row => this.chosen.has(row.key));
    const state = String([...this.chosen].length);
    if (this.manyState === state && this.many.childElementCount) return;
    this.manyState = state;
    if (!this.chosen.size) { this.many.replaceChildren(); return; }
    const keys = () => [...this.chosen];
    const sex = element("select", { "aria-label": words.sex },
      ...[["", "–"], ["female", words.female], ["male", words.male]].map(([value, text]) => element("option", { value }, text)));
    const age = element("input", { type: "text", placeholder: words.age, "aria-label": words.age, title: words.ageHint, size: 7 });
    const height = element("input", { type: "text", placeholder: words.height, "aria-label": words.height, title: words.heightHint, size: 7 });
    this.many.replaceChildren(
      element("strong", {}, words.chosen.replace("{count}", this.chosen.size)), sex, age, height,
      element("button", { type: "button", class: "small", onclick: () => {
        for (const [field, from] of [["sex", sex], ["age", age], ["height", height]]) {
          if (from.value) this.tell("edit", keys(), { field, text: from.value });
        }
      } }, words.apply),
      element("button", { type: "button", class: "small", onclick: () => this.tell("remove", keys()) }, words.removeAll));
  }

  key(event) {
    const target = event.composedPath()[0];
    const line = target.closest?.("tr.row");
    if (!line || target !== line || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = line.dataset.key;
    const rows = this.shown();
    const place = rows.findIndex(row => row.key === key);
    const go = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (go !== undefined) {
      const next = rows[Math.max(0, Math.min(rows.length - 1, go))];
      this.focused = next.key;
      this.draw();
      this.drawn.get(next.key).line.focus();
    } else if (event.key === "Enter") {
      this.open(key);
    } else if (event.key === " ") {
      this.chosen.has(key) ? this.chosen.delete(key) : this.chosen.add(key);
      this.draw();
    } else if (event.key === "f" || event.key === "m") {
      this.tell("edit", [key], { field: "sex", text: event.key === "f" ? "female" : "male" });
    } else if (event.key === "Delete") {
      this.tell("remove", [key]);
    } else return;
    event.preventDefault();
  }
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".worklist");
  root.worklist ??= new Worklist(root);
  root.worklist.update(data, setTriggerValue);
}
