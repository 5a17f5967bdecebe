/* Enhancement only: every page is complete without it. */
(function () {
  "use strict";

  var root = document.documentElement;
  var language = root.lang || "en";
  var servedAt = root.getAttribute("data-now");
  var skew = servedAt ? Date.parse(servedAt) - Date.now() : 0;

  function each(selector, act) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), act);
  }

  /* The reader's own region of the page's language: day and month come in the order they know. */
  function ownLocale() {
    var own = (navigator.languages || []).filter(function (name) {
      return name.split("-")[0] === language.split("-")[0] && name.indexOf("-") > 0;
    })[0];
    return own || (language === "en" ? "en-GB" : language);
  }

  /* Gregorian calendar and Latin digits: ar-SA would give Hijri dates, ar-EG other digits. */
  function showLocalTimes() {
    var zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    var format = new Intl.DateTimeFormat(ownLocale() + "-u-ca-gregory-nu-latn", {
      weekday: "long", day: "numeric", month: "long", year: "numeric",
      hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone
    });
    each("[data-local]", function (element) {
      var label = document.getElementById(element.getAttribute("data-zone"));
      element.textContent = format.format(new Date(element.getAttribute("data-local")));
      if (label) {
        label.textContent = label.getAttribute("data-label") + " (\u2068" + zone.replace(/_/g, " ") + "\u2069)";
      }
    });
  }

  function count(number, unit) {
    return new Intl.NumberFormat(language + "-u-nu-latn", {
      style: "unit", unit: unit, unitDisplay: "long"
    }).format(number);
  }

  function timeLeft(minutes) {
    var days = Math.floor(minutes / 1440);
    var hours = Math.floor(minutes % 1440 / 60);
    if (days) { return count(days, "day") + (hours ? " " + count(hours, "hour") : ""); }
    return hours ? count(hours, "hour") : count(minutes, "minute");
  }

  function showTimeLeft() {
    each("[data-left]", function (element) {
      var left = Date.parse(element.getAttribute("data-left")) - Date.now() - skew;
      element.textContent = timeLeft(Math.max(0, Math.floor(left / 60000)));
    });
  }

  try {
    showLocalTimes();
    showTimeLeft();
    setInterval(showTimeLeft, 60000);
  } catch (error) {
    /* An old browser: the server's words stand. */
  }
})();
