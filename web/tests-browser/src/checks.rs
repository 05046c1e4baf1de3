//! What every page is held to, checked by a script in the page.

/// One thing that is wrong with a page.
pub type Finding = String;

/// Gives a list of findings: fields and buttons without a name, headings and landmarks missing, text wider than the page, text too faint.
pub const PAGE_CHECKS: &str = r#"
const found = [];
const shown = (e) => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== 'hidden';
const name = (e) => (e.getAttribute('aria-label') || (e.labels && [...e.labels].map((l) => l.innerText).join(' ')) || e.innerText || e.title || '').trim();
for (const e of document.querySelectorAll('input, select, textarea, button, a[href], [role=img]')) {
  if (shown(e) && !name(e)) found.push('no name: ' + e.outerHTML.slice(0, 120));
}
for (const e of document.querySelectorAll('input, select, textarea')) {
  const described = (e.getAttribute('aria-describedby') || '').split(' ').filter(Boolean);
  for (const id of described) if (!document.getElementById(id)) found.push('describes nothing: ' + id);
}
const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
for (const id of ids) if (ids.filter((x) => x === id).length > 1) { found.push('id twice: ' + id); break; }
if (document.querySelectorAll('main').length !== 1) found.push('main landmarks: ' + document.querySelectorAll('main').length);
if ([...document.querySelectorAll('main h1')].filter(shown).length !== 1) found.push('first headings: ' + [...document.querySelectorAll('main h1')].filter(shown).length);
if (!document.documentElement.lang) found.push('no language');
if (!document.title) found.push('no title');
const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
if (wide > 0) {
  const culprit = [...document.querySelectorAll('body *')].find((e) => shown(e) && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !e.closest('.tablewrap, .roster'));
  found.push('wider than the page by ' + wide + ' px: ' + (culprit ? culprit.outerHTML.slice(0, 120) : ''));
}
const parse = (c) => { const m = c.match(/[\d.]+/g).map(Number); return m.length > 3 ? m : [...m, 1]; };
const channel = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const ground = (e) => { for (let n = e; n; n = n.parentElement) { const c = parse(getComputedStyle(n).backgroundColor); if (c[3] > 0.99) return c; } return [255, 255, 255, 1]; };
const faint = new Set();
for (const e of document.querySelectorAll('body *')) {
  const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || !shown(e) || e.closest('[aria-hidden=true], .hidden-words, .skip') || e.disabled) continue;
  const style = getComputedStyle(e);
  const a = light(parse(style.color)), b = light(ground(e));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) faint.add(ratio.toFixed(2) + ' ' + e.tagName + '.' + e.className);
}
for (const f of faint) found.push('contrast ' + f);
for (const e of document.querySelectorAll('button, .button, .side a, select, input:not([type=file]):not([type=radio]):not([type=checkbox])')) {
  const box = e.getBoundingClientRect();
  if (shown(e) && !e.matches('.plain, .hidden-words') && box.height < 24) found.push('too small to hit: ' + e.outerHTML.slice(0, 80));
}
return found;
"#;
