"use strict";
// Texts are only ever set as text, never as markup.
(async () => {
  const theme = document.getElementById("theme");
  const dark = () => matchMedia("(prefers-color-scheme: dark)").matches;
  theme.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme || (dark() ? "dark" : "light");
    document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  });

  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details")) folded.open = true;
  });

  const list = document.getElementById("list");
  if (!list) return;
  const count = document.getElementById("count");
  count.textContent = "Unpacking…";
  const more = document.getElementById("more");
  const form = document.getElementById("filters");
  if (!("DecompressionStream" in window)) {
    count.textContent = "This browser is too old to unpack the sentences (Chrome 80, Firefox 113 or Safari 16.4 can).";
    return;
  }
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const packed = bytes(document.getElementById("rows").textContent);
  const unzipped = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = JSON.parse(await new Response(unzipped).text());
  const scores = bytes(data.scores);
  const marks = bytes(data.marks);
  const width = data.labels.length;
  const lower = data.texts.map((text) => text.toLowerCase());
  const PAGE = 100;
  const MOST_VALUES = 200;
  let found = [];
  let shown = 0;

  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  // A column may be named as a method of forms: the prefix keeps its control from hiding the method.
  const field = (name, control, key = name) => {
    control.name = key;
    form.append(element("label", {}, name, control));
    control.addEventListener("input", filter);
    return control;
  };
  const choice = (name, options, key = name) => {
    const made = options.map(([value, text]) => element("option", { value, textContent: text }));
    return field(name, element("select", {}, ...made), key);
  };

  const search = field("search", element("input", { type: "search", placeholder: "words" }));
  const label = choice("label", [
    ["", "all"],
    ...data.labels.map((name, i) => [String(i), name]),
    ["none", "neutral"],
    ["unsure", "uncertain"],
  ]);
  const least = field("score from", element("input", { type: "number", min: 0, max: 1, step: 0.05, value: 0 }));
  // Of few values one is chosen; of many, those that hold what is typed.
  const groups = data.filters.map((name) => {
    const { rows, values } = data.columns[name];
    const key = `by ${name}`;
    if (values.length > MOST_VALUES) {
      const typed = field(name, element("input", { placeholder: "part of the name", size: 14 }), key);
      return { rows, typed, fits: () => values.map((value) => value.toLowerCase().includes(typed.value.toLowerCase())) };
    }
    const typed = choice(name, [["", "all"], ...values.map((value, i) => [String(i), value || "(none)"])], key);
    return { rows, typed, fits: () => values.map((_, i) => String(i) === typed.value) };
  });
  const from = data.time && field("date from", element("input", { placeholder: "2014-03", size: 10 }));
  const to = data.time && field("date to", element("input", { placeholder: "2014-12", size: 10 }));
  const order = choice("order", [["file", "as in the file"], ["score", "highest score first"]]);
  const reset = element("button", { type: "button", textContent: "Clear" });
  let whole = null; // the document being read
  reset.addEventListener("click", () => {
    form.reset();
    whole = null;
    filter();
  });
  form.append(reset);
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => show());

  const GIVEN = 1;
  const UNSURE = 2;
  const has = (row, i, what) => (marks[row * width + i] & what) !== 0;
  const any = (row, what) => {
    for (let i = 0; i < width; i++) if (has(row, i, what)) return true;
    return false;
  };
  const strongest = (row) => {
    let best = 0;
    for (let i = 0; i < width; i++) best = Math.max(best, scores[row * width + i]);
    return best;
  };

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = label.value;
    const limit = Math.round(100 * Number(least.value || 0));
    const one = wanted !== "" && wanted !== "none" && wanted !== "unsure";
    const rank = (row) => (one ? scores[row * width + Number(wanted)] : strongest(row));
    const picked = groups.filter(({ typed }) => typed.value !== "").map(({ rows, fits }) => [rows, fits()]);
    const dated = (from && from.value) || (to && to.value);
    found = [];
    for (let row = 0; row < lower.length; row++) {
      if (whole !== null && data.columns[data.document].rows[row] !== whole) continue;
      if (one && !has(row, Number(wanted), GIVEN)) continue;
      if (wanted === "none" && any(row, GIVEN)) continue;
      if (wanted === "unsure" && !any(row, UNSURE)) continue;
      if (limit && rank(row) < limit) continue;
      if (picked.some(([rows, fits]) => !fits[rows[row]])) continue;
      if (dated && !data.time[row]) continue;
      if (from && from.value && data.time[row].slice(0, from.value.length) < from.value) continue;
      if (to && to.value && data.time[row].slice(0, to.value.length) > to.value) continue;
      if (words.length && !words.every((word) => lower[row].includes(word))) continue;
      found.push(row);
    }
    if (order.value === "score") found.sort((a, b) => rank(b) - rank(a) || a - b);
    shown = 0;
    list.replaceChildren();
    const where = whole === null ? "" : ` of ${data.columns[data.document].values[whole]}`;
    count.textContent = `${found.length.toLocaleString("en")} of ${lower.length.toLocaleString("en")} sentences${where}`;
    // On paper the list appears only once the reader has chosen some sentences.
    document.getElementById("sentences").dataset.chosen = found.length < lower.length ? "yes" : "no";
    show(words);
  }

  function show() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of found.slice(shown, shown + PAGE)) list.append(drawn(row, words));
    shown = Math.min(shown + PAGE, found.length);
    more.hidden = shown >= found.length;
    more.textContent = `Show more (${(found.length - shown).toLocaleString("en")} left)`;
  }

  function drawn(row, words) {
    const labels = data.labels.map((_, i) => i).filter((i) => has(row, i, GIVEN));
    labels.sort((a, b) => scores[row * width + b] - scores[row * width + a]);
    const text = element("span");
    marked(text, data.texts[row], words);
    const made = element("div", { className: `row ${labels.length ? data.families[labels[0]] : ""}` }, text);
    for (const i of labels) {
      const unsure = has(row, i, UNSURE) ? "?" : "";
      const number = (scores[row * width + i] / 100).toFixed(2);
      made.append(element("span", { className: `chip ${data.families[i]}`, textContent: `${data.labels[i]} ${number}${unsure}` }));
    }
    const about = element("div", { className: "meta" });
    const named = data.document && data.columns[data.document];
    if (named && named.values[named.rows[row]]) {
      const open = element("button", { type: "button", textContent: named.values[named.rows[row]] });
      open.addEventListener("click", () => {
        form.reset();
        whole = named.rows[row];
        filter();
        document.getElementById("sentences").scrollIntoView();
      });
      about.append(open);
    }
    const facts = data.time ? [data.time[row]] : [];
    for (const [name, column] of Object.entries(data.columns)) if (name !== data.document) facts.push(column.values[column.rows[row]]);
    about.append(facts.filter(Boolean).join(" · "));
    made.append(about);
    return made;
  }

  function marked(target, text, words) {
    const low = text.toLowerCase();
    // Where lower case changes the length, offsets would be wrong.
    const spots = [];
    for (const word of low.length === text.length ? words : [])
      for (let at = low.indexOf(word); at >= 0; at = low.indexOf(word, at + word.length)) spots.push([at, word.length]);
    let after = 0;
    for (const [start, length] of spots.sort((a, b) => a[0] - b[0] || b[1] - a[1])) {
      if (start < after) continue;
      target.append(text.slice(after, start), element("mark", { textContent: text.slice(start, start + length) }));
      after = start + length;
    }
    target.append(text.slice(after));
  }

  filter();
  document.documentElement.dataset.ready = "yes";
})();
