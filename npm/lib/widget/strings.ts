/**
 * The widget's texts, and in which language they are. A page may say any of them otherwise; what it does not say, or says
 * as something else than text, is the built-in one.
 */
import type { ChatWidgetTexts } from './public.js';

const BUILT_IN: Record<string, ChatWidgetTexts> & { en: ChatWidgetTexts } = {
  en: {
    title: 'Chat with us',
    greeting: 'Hi! How can we help?',
    open: 'Open chat',
    close: 'Close chat',
    unread: '{n} unread',
    dismiss: 'Dismiss',
    messages: 'Messages',
    input: 'Your message',
    placeholder: 'Write a message…',
    send: 'Send',
    you: 'You',
    staff: 'Support',
    bot: 'Assistant',
    sending: 'Sending…',
    sent: 'Sent',
    notSent: 'Not sent.',
    tooLong: 'This is too long to send.',
    tooMany: 'Too many messages at once. Wait a moment.',
    retry: 'Try again',
    newMessages: 'New messages',
    left: '{n} characters left',
    over: '{n} characters too many',
    online: 'Online',
    connecting: 'Connecting…',
    reconnecting: 'Reconnecting…',
    unavailable: 'Chat is unavailable right now',
    lost: 'The connection was lost. We keep trying, and send what you write once it is back.',
    offline: 'You are offline. What you write is sent once you are back.',
    refused: 'The chat does not work on this page. Please contact us another way.',
    signIn: 'You could not be signed in to the chat. Reload the page to try again.',
    blocked: 'This page or your browser blocks the chat.',
  },
  de: {
    title: 'Schreiben Sie uns',
    greeting: 'Hallo! Wie können wir helfen?',
    open: 'Chat öffnen',
    close: 'Chat schließen',
    unread: '{n} ungelesen',
    dismiss: 'Ausblenden',
    messages: 'Nachrichten',
    input: 'Ihre Nachricht',
    placeholder: 'Nachricht schreiben…',
    send: 'Senden',
    you: 'Sie',
    staff: 'Support',
    bot: 'Assistent',
    sending: 'Wird gesendet…',
    sent: 'Gesendet',
    notSent: 'Nicht gesendet.',
    tooLong: 'Das ist zu lang zum Senden.',
    tooMany: 'Zu viele Nachrichten auf einmal. Warten Sie kurz.',
    retry: 'Erneut versuchen',
    newMessages: 'Neue Nachrichten',
    left: 'Noch {n} Zeichen',
    over: '{n} Zeichen zu viel',
    online: 'Online',
    connecting: 'Verbinden…',
    reconnecting: 'Neu verbinden…',
    unavailable: 'Der Chat ist gerade nicht verfügbar',
    lost:
      'Die Verbindung ist unterbrochen. Wir versuchen es weiter und senden Ihre Nachrichten, sobald sie wieder steht.',
    offline: 'Sie sind offline. Was Sie schreiben, wird gesendet, sobald Sie wieder online sind.',
    refused: 'Der Chat funktioniert auf dieser Seite nicht. Bitte kontaktieren Sie uns auf anderem Weg.',
    signIn: 'Sie konnten nicht im Chat angemeldet werden. Laden Sie die Seite neu.',
    blocked: 'Diese Seite oder Ihr Browser blockiert den Chat.',
  },
  fr: {
    title: 'Écrivez-nous',
    greeting: 'Bonjour ! Comment pouvons-nous vous aider ?',
    open: 'Ouvrir le chat',
    close: 'Fermer le chat',
    unread: '{n} non lus',
    dismiss: 'Masquer',
    messages: 'Messages',
    input: 'Votre message',
    placeholder: 'Écrire un message…',
    send: 'Envoyer',
    you: 'Vous',
    staff: 'Assistance',
    bot: 'Assistant',
    sending: 'Envoi…',
    sent: 'Envoyé',
    notSent: 'Non envoyé.',
    tooLong: 'Ce message est trop long.',
    tooMany: 'Trop de messages à la fois. Patientez un instant.',
    retry: 'Réessayer',
    newMessages: 'Nouveaux messages',
    left: '{n} caractères restants',
    over: '{n} caractères en trop',
    online: 'En ligne',
    connecting: 'Connexion…',
    reconnecting: 'Reconnexion…',
    unavailable: 'Le chat est indisponible pour le moment',
    lost: 'La connexion est interrompue. Nous réessayons et enverrons vos messages dès son retour.',
    offline: 'Vous êtes hors ligne. Vos messages partiront à votre retour.',
    refused: 'Le chat ne fonctionne pas sur cette page. Contactez-nous autrement.',
    signIn: 'La connexion à votre compte a échoué. Rechargez la page pour réessayer.',
    blocked: 'Cette page ou votre navigateur bloque le chat.',
  },
  es: {
    title: 'Escríbenos',
    greeting: '¡Hola! ¿En qué podemos ayudarte?',
    open: 'Abrir el chat',
    close: 'Cerrar el chat',
    unread: '{n} sin leer',
    dismiss: 'Descartar',
    messages: 'Mensajes',
    input: 'Tu mensaje',
    placeholder: 'Escribe un mensaje…',
    send: 'Enviar',
    you: 'Tú',
    staff: 'Soporte',
    bot: 'Asistente',
    sending: 'Enviando…',
    sent: 'Enviado',
    notSent: 'No enviado.',
    tooLong: 'Es demasiado largo para enviarlo.',
    tooMany: 'Demasiados mensajes seguidos. Espera un momento.',
    retry: 'Reintentar',
    newMessages: 'Mensajes nuevos',
    left: 'Quedan {n} caracteres',
    over: 'Sobran {n} caracteres',
    online: 'En línea',
    connecting: 'Conectando…',
    reconnecting: 'Reconectando…',
    unavailable: 'El chat no está disponible ahora',
    lost: 'Se perdió la conexión. Seguimos intentándolo y enviaremos tus mensajes cuando vuelva.',
    offline: 'No tienes conexión. Lo que escribas se enviará cuando vuelvas.',
    refused: 'El chat no funciona en esta página. Contáctanos por otra vía.',
    signIn: 'No se pudo iniciar tu sesión en el chat. Recarga la página para reintentarlo.',
    blocked: 'Esta página o tu navegador bloquea el chat.',
  },
  ar: {
    title: 'تحدّث معنا',
    greeting: 'مرحبًا! كيف يمكننا مساعدتك؟',
    open: 'فتح الدردشة',
    close: 'إغلاق الدردشة',
    unread: '{n} غير مقروءة',
    dismiss: 'إخفاء',
    messages: 'الرسائل',
    input: 'رسالتك',
    placeholder: 'اكتب رسالة…',
    send: 'إرسال',
    you: 'أنت',
    staff: 'الدعم',
    bot: 'المساعد',
    sending: 'جارٍ الإرسال…',
    sent: 'أُرسلت',
    notSent: 'لم تُرسل.',
    tooLong: 'هذه الرسالة أطول من أن تُرسل.',
    tooMany: 'رسائل كثيرة دفعة واحدة. انتظر لحظة.',
    retry: 'إعادة المحاولة',
    newMessages: 'رسائل جديدة',
    left: 'بقي {n} حرفًا',
    over: '{n} حرفًا زائدًا',
    online: 'متصل',
    connecting: 'جارٍ الاتصال…',
    reconnecting: 'جارٍ إعادة الاتصال…',
    unavailable: 'الدردشة غير متاحة الآن',
    lost: 'انقطع الاتصال. نواصل المحاولة وسنرسل ما تكتبه عند عودته.',
    offline: 'أنت غير متصل بالإنترنت. سيُرسل ما تكتبه عند عودتك.',
    refused: 'لا تعمل الدردشة في هذه الصفحة. تواصل معنا بطريقة أخرى.',
    signIn: 'تعذّر تسجيل دخولك إلى الدردشة. أعد تحميل الصفحة للمحاولة مجددًا.',
    blocked: 'هذه الصفحة أو متصفحك يحظر الدردشة.',
  },
};

type Given = Readonly<Record<string, unknown>> | undefined;

const languageIn = (tag: string) => tag.split('-', 1)[0]?.toLowerCase() ?? '';

/** The texts that a page gives for a language tag, else for its language. */
const given = (texts: Given, tag: string): unknown =>
  [texts?.[tag], texts?.[languageIn(tag)]].find((value) => typeof value === 'object');

/** The first tag whose language there are texts for. */
export function languageOf(tags: readonly (string | undefined)[], texts: Given): string {
  const spoken = (tag: string) => Object.hasOwn(BUILT_IN, languageIn(tag)) || given(texts, tag);
  return tags.find((tag) => isLocale(tag) && spoken(tag)) ?? 'en';
}

/** Whether dates can be written in it. */
export function isLocale(tag: unknown): tag is string {
  try {
    return typeof tag === 'string' && tag !== '' && Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

/** All texts in that language. Names that a page has got wrong are added to the problems. */
export function textsOf(locale: string, texts: Given, problems: string[]): ChatWidgetTexts {
  const all = { ...(BUILT_IN[languageIn(locale)] ?? BUILT_IN.en) };
  for (const said of [texts, given(texts, locale) as Given]) {
    for (const [name, text] of Object.entries(said ?? {})) {
      if (typeof text === 'string' && Object.hasOwn(all, name)) {
        all[name as keyof ChatWidgetTexts] = text;
      } else if (typeof text !== 'object') {
        problems.push(`texts.${name} is not a text of the widget`);
      }
    }
  }
  return all;
}
