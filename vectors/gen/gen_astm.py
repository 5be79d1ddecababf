import json, random
from ref_astm import *
from ref_astm_link import *
import ref_lis
H=b"H|\\^&|||ANALYZER^1.0|||||||P|LIS2-A2|20260101120000\r"
P=b"P|1||1001|||DOE^JANE||19700101|F\r"
O=b"O|1|S123||^^^GLU|R|20260101110000\r"
R=b"R|1|^^^GLU|5.4|mmol/L|3.9^5.8|N||F||op|20260101115900|20260101120000\r"
L=b"L|1|N\r"
# ---- codec
C=[]
def codec(id,fn,text,last,desc=""):
    f=frame(fn,text,last); body=f[1:-4]
    assert f[-4:-2]==checksum(body) and sum(body)%256==int(f[-4:-2],16)
    C.append({"id":id,"desc":desc,"frame_number":fn%8,"text_hex":text.hex(),"text":text.decode("latin-1"),"end":"ETX" if last else "ETB","checksum":f[-4:-2].decode(),"frame_hex":f.hex()})
codec("h",1,H,True); codec("p",2,P,True); codec("o",3,O,True); codec("r",4,R,True); codec("l",5,L,True)
codec("fn0",8,L,True,"frame number rolls over 7 -> 0"); codec("fn7",7,L,True)
codec("etb",1,b"A"*240,False,"intermediate frame of 240 characters"); codec("etx240",1,b"A"*240,True,"largest E1381-95 end frame (247 bytes)")
codec("empty",1,b"",True,"empty text"); codec("cr_only",1,b"\r",True)
codec("latin1","1" and 1,"P|1||2||M\u00fcller\r".encode("latin-1"),True,"8-bit text: full byte values are summed")
codec("utf8",1,"P|1||2||M\u00fcller\r".encode(),True,"UTF-8 text: sum bytes, not code points")
codec("whole",1,H+P+O+R+L,True,"whole message in one frame (common deviation)")
codec("pipe_delims",1,b"H|@^\\|M1||GX^GX^4.8|||||LIS||P|1394-97|20260101\r",True,"GeneXpert style delimiters")
codec("cs00",1,b"",True) 
C.pop()
# find texts giving checksum 00 and 0F (leading zero) 
for want in (0x00,0x0F,0xA0,0x7A):
    for a in range(0x20,0x7f):
        for b in range(0x20,0x7f):
            t=bytes([a,b])
            if (0x31+a+b+3)%256==want: codec("cs_%02X"%want,1,t,True,"checksum %02X"%want); break
        else: continue
        break
# ---- receiver
V=[]
def run(ops,profile,kw,chunk=None):
    r=Receiver(profile=profile,**kw)
    for o in ops:
        if o[0]=="bytes":
            d=bytes.fromhex(o[1])
            for c in (chunk(d) if chunk else [d]): r.feed(c)
        elif o[0]=="wait": r.wait(o[1])
        elif o[0]=="line_lost": r.line_lost()
        else: r.answer(o[0])
    return {"events":r.ev,"state":r.state}
def add(id,desc,ops,src="",**kw):
    o=[["bytes",x.hex()] if isinstance(x,bytes) else ["wait",x] if isinstance(x,int) else [x] for x in ops]
    v={"id":id,"desc":desc,"ops":o}
    if kw: v["options"]=kw
    if src: v["source"]=src
    v["expect"]={p:run(o,p,kw) for p in("default","strict")}
    V.append(v)
E_=b"\x05"; T_=b"\x04"
fs=frames([H,P,O,R,L])
add("session","one session, five records, one frame each",[E_+b"".join(fs)+T_])
add("session_stop_and_wait","same, byte groups as they arrive on a stop-and-wait line",[E_,*fs,T_])
add("no_frames","ENQ EOT with no frame (keepalive seen from Yumizen H550)",[E_+T_],src="senaite.astm protocol.py on_eot comment")
add("busy","receiver busy: NAK to ENQ",[E_],ready=False,src="E1381-95 6.2.6")
long_=b"R|1|^^^X|"+b"x"*600+b"\r"
add("etb_split","record of >240 characters in intermediate frames",[E_+b"".join(frames([H,long_,L]))+T_],src="E1381-95 6.3.1.2")
add("wrap","12 frames: numbers 1..7,0,1..4",[E_+b"".join(frames([H]+[b"R|%d|^^^A%d|1\r"%(i,i) for i in range(1,11)]+[L]))+T_])
bad=bytearray(fs[1]); bad[5]^=1
add("bad_checksum_then_resend","defective frame NAKed, resent with the same number",[E_+fs[0]+bytes(bad)+fs[1]+fs[2]+T_],src="E1381-95 6.5.1")
add("bad_checksum_digits","checksum characters not hexadecimal",[E_+fs[0][:-4]+b"ZZ\r\n"+T_])
add("lowercase_checksum","checksum in lower case",[E_+frame(1,H)[:-4]+frame(1,H)[-4:-2].lower()+b"\r\n"+T_],src="senaite.astm utils.validate_checksum compares case-insensitively")
add("duplicate","frame resent although it was accepted (ACK lost): acknowledged, not delivered twice",[E_+fs[0]+fs[0]+fs[1]+T_],src="E1381-95 6.5.1.1 (3), Fig. A1.1 'Good Repeat Frame'")
add("duplicate_after_wrap","duplicate of frame number 0",[E_+b"".join(frames([b"R|%d\r"%i for i in range(8)]))+frames([b"R|%d\r"%i for i in range(8)])[7]+T_],content="opaque")
add("gap","frame number jumps 1 -> 3",[E_+fs[0]+frame(3,O)+T_],src="E1381-95 6.5.1.1 (3)")
add("first_is_0","first frame numbered 0: strict NAK; default accepts and continues with 1",[E_+frame(0,H)+frame(1,P)+T_])
add("first_is_2","first frame numbered 2",[E_+frame(2,H)+frame(3,P)+T_],src="felicity-lims fsocket/astm.py accepts any first number")
add("always_1","analyzer that numbers every frame 1: strict treats later frames as repeats and loses them; default sees that the text differs",[E_+frame(1,H)+frame(1,P)+frame(1,L)+T_])
add("no_fn","frame without a frame number, no checksum",[E_+b"\x02H|\\^&|||X\r\x03\r\n"+T_])
add("no_checksum","frame number but no checksum",[E_+b"\x021H|\\^&|||X\r\x03\r\n\x022L|1|N\r\x03\r\n"+T_])
add("cr_tail","frame ends with CR only",[E_+fs[0][:-1]+fs[1][:-1]+T_],src="form of several senaite.astm test files; that project stores messages after re-joining, so not proof of the wire form")
add("lf_tail","frame ends with LF only",[E_+fs[0][:-2]+b"\n"+fs[1][:-2]+b"\n"+T_],src="form of several senaite.astm test files (stored joined with LF); not proof of the wire form")
add("no_tail","no CR LF at all, next frame or EOT follows",[E_+fs[0][:-2]+fs[1][:-2]+T_])
add("no_tail_idle","no CR LF and the sender waits: idle timer decides",[E_+fs[0][:-2],250,fs[1]+T_])
add("no_checksum_idle","nothing after ETX",[E_+b"\x021H|x\r\x03",250,T_])
add("stx_without_enq","frames without ENQ",[fs[0]+fs[1]+T_])
add("junk_between","noise between frames is ignored",[E_+fs[0]+b"\r\n\x00xyz"+fs[1]+b"??"+T_],src="E1381-95 6.5.1.1")
add("junk_neutral","bytes in the neutral state are ignored",[b"\r\nHELLO\x06\x15\x04"+E_+fs[0]+T_],src="E1381-95 6.2.5")
add("enq_in_transfer","sender restarts with ENQ while we wait for a frame",[E_+fs[0]+E_+fs[0]+T_],src="standard silent; SwatInc and senaite NAK, UniversaLIS ignores")
add("enq_in_frame","ENQ inside a frame",[E_+fs[0][:20]+E_+fs[0]+T_])
add("eot_in_frame","EOT inside a frame: sender gave up",[E_+fs[0]+fs[1][:9]+T_])
add("stx_in_frame","STX inside a frame: newest STX wins, no reply for the broken one",[E_+fs[0][:9]+fs[0]+T_])
add("eot_after_etb","session ends in the middle of a message",[E_+frame(1,b"A"*240,False)+T_],src="E1381-95 6.5.2.4 (incomplete message is discarded)",content="opaque")
add("timeout","30 s without a frame",[E_+fs[0],30000,E_],src="E1381-95 6.5.2.4")
add("timeout_in_message","30 s after an intermediate frame",[E_+frame(1,b"A"*240,False),30000],content="opaque")
add("interrupt","receiver interrupt: EOT instead of ACK",[E_+fs[0]],host="interrupt",src="E1381-95 6.3.5")
add("lf_in_text","LF inside the text (restricted)",[E_+frame(1,b"C|1|I|a\nb\r")+T_],src="E1381-95 6.6.1",content="opaque")
add("dc1_in_text","DC1 inside the text (restricted)",[E_+frame(1,b"C|1|\x11\r")+T_],src="E1381-95 6.6.2",content="opaque")
add("tab_ok","TAB is not restricted",[E_+frame(1,b"C|1|a\tb\r")+T_],content="opaque")
add("too_long","text longer than max_text",[E_+frame(1,b"A"*241)+T_],max_text=240,content="opaque")
add("max_text","text of exactly max_text",[E_+frame(1,b"A"*240)+T_],max_text=240,content="opaque")
add("whole_message","whole message in one 5-record frame",[E_+frame(1,H+P+O+R+L)+T_],src="raw Erba captures in nishishailesh/astm_general: six records in one ETX frame")
add("etb_per_record","every record but the last in an ETB frame",[E_+b"".join([frame(1,H,False),frame(2,P,False),frame(3,O,False),frame(4,R,False),frame(5,L,True)])+T_],src="cobas c111 file in senaite.astm")
add("hl7_in_astm","HL7 message carried as frame text",[E_+frame(1,b"MSH|^~\\&|LAB|||||ORU^R01|1|P|2.3\rOBX|1|NM|A||1\r")+T_],content="opaque")
add("two_sessions","two sessions on one connection: numbering restarts",[E_+fs[0]+T_+E_+fs[0]+T_])
add("empty_text","empty frame text",[E_+frame(1,b"")+T_])
add("stx_etx_only","STX ETX with nothing between",[E_+b"\x02\x03"+checksum(b"\x03")+b"\r\n"+T_])
# ---- the corrections: each was a fault of the rules before
def bit(f,at,b): g=bytearray(f); g[at]=b; return bytes(g)
def body_at(f,c): return f.index(c)
HX=b"H|\\^&|||E\r"; hx=frame(1,HX); MSG=[H,P,O,R,L]; ok=frame(1,HX+L)
def resum(f): return f[:-4]+checksum(f[1:-4])+f[-2:]

add("c01_enq_in_frame_then_bytes","C1: E of a text becomes ENQ by one bit: damage, refused after LF",[E_+bit(hx,hx.index(b"E"),5)+hx+frame(2,L)+T_])
add("c01_enq_in_frame_then_silence","C1: ENQ is the last byte for broken_off: refused, which is right for a frame that became ENQ as well",[E_+fs[0]+fs[1][:9]+E_,4999,1,fs[1]])
add("c01_enq_in_frame_then_again","C1: the sender was restarted: it asks again when it has waited",[E_+fs[0]+fs[1][:9]+E_,5000,10000,E_,249,1,fs[0]])
add("c01_enq_in_frame_again_too_soon","C1: an ENQ soon after the refusal is not from a sender that waits",[E_+fs[0]+fs[1][:9]+E_,5000,4999,E_,4999,1])
add("c01_enq_after_noise","a frame without its STX: ENQ in it is noise",[bit(fs[0],0,0x42)[:9]+E_+fs[0][9:],1000,E_])
add("c01_enq_after_noise_then_quiet","noise before ENQ: it counts when the line is quiet",[b"xyz"+E_,249,1])
add("c01_enq_in_frame_quiet","C1: quiet alone does not make ENQ in a frame count",[E_+fs[0]+fs[1][:9]+E_,250,fs[1][10:]])
add("c01_enq_between_frames","C1: ENQ in a session counts after broken_off of silence; an STX makes it noise",[E_+fs[0]+E_+fs[1]+fs[2]+fs[3]+fs[4]+T_])
add("c01_enq_between_frames_then_silence","C1: the sender was restarted between frames: it is refused, asks again, and what it sent before is incomplete",[E_+fs[0]+E_,5000,10000,E_,250,fs[0]])
add("c01_enq_twice","C1: a doubled ENQ is answered once",[E_+E_+fs[0]])
add("c01_enq_for_cr","C1: the CR of a tail becomes ENQ: the frame is good by its sum, and LF ends it",[E_+bit(fs[0],len(fs[0])-2,5)+fs[1]+T_])
add("c02_eot_in_frame_then_bytes","C2: EOT inside a frame with bytes after it is damage",[E_+fs[0]+bit(fs[1],12,4)+fs[1]+T_])
add("c02_eot_in_frame_then_silence","C2: EOT is the last byte for broken_off: the sender has given up",[E_+fs[0]+fs[1][:9]+T_,5000,E_+fs[0]])
for name,b in(("enq",5),("eot",4)):
    add("c03_%s_as_sum"%name,"C3: a checksum digit becomes a control byte: damage, refused after LF",[E_+fs[0]+bit(fs[1],len(fs[1])-3,b)+fs[1]+T_])
add("c03_stx_as_sum","C3: STX in place of the second digit opens a frame, without a reply",[E_+fs[0]+fs[1][:-3]+fs[1]+T_])
add("c03_eot_in_tail","C3: EOT in the tail is held until the line is quiet: the frame is good, the session ends after broken_off",[E_+ok[:-2]+T_,250,4750])
add("c03_enq_in_tail","C3: ENQ in the tail, then nothing",[E_+fs[0][:-2]+E_,250,4750,fs[0]])
add("c04_early_etx","C4: an early ETX is not refused before the LF of the frame",[E_+bit(hx,hx.index(b"|"),3)+hx+frame(2,L)+T_])
add("c04_early_etx_quiet","C4: the refusal leaves when the line is quiet",[E_+bit(hx,hx.index(b"|"),3)[:-1],249,1,hx])
add("c04_bad_frame_then_stx","C4: no refusal where the next frame has begun",[E_+bit(hx,5,0x7e)[:-2]+hx+T_])
add("c04_truncated","C4: silence inside a frame for broken_off: refused",[E_+fs[0]+fs[1][:9],4999,1,fs[1]])
nul=HX[:-1]+b"\0\r"
add("c05_nul_once","C5: NUL adds nothing to the sum: refused, and the frame without it is taken",[E_+bit(frame(1,nul),0,2)+hx+frame(2,L)+T_])
add("c05_nul_repeated","C5: the same frame with NUL again: a device that pads",[E_+frame(1,nul)+frame(1,nul)+frame(2,L)+T_])
add("c05_nul_elsewhere","C5: NUL in another place the second time is noise again",[E_+frame(1,nul)+frame(1,b"\0"+HX)+hx+T_])
add("c06_sum_lost","C6: two lost bytes: a frame without a sum after one that had one is refused",[E_+fs[0]+fs[1][:-4]+b"\r\n"+fs[1]+T_])
add("c06_never_a_sum","C6: a device that sends no sums",[E_+b"\x021"+HX+b"\x03\r\n\x022L|1|N\r\x03\r\n"+T_])
add("c06_stx_after_etx","C6: an STX between ETX and the sum is noise, also in the first frame of a connection",[E_+fs[0][:-4]+b"\x02"+fs[0][-4:]+fs[0]+T_])
add("c06_option","C6: checksum absent: taken whether or not others had one",[E_+fs[0]+b"\x022"+P+b"\x03\r\n"+T_],checksum="absent")
add("c06_exact_case","C6: checksum exact_case: lower case is refused",[E_+fs[0][:-4]+fs[0][-4:-2].lower()+b"\r\n"+T_],checksum="exact_case")
add("c07_digit_8","C7: 8 is no frame number, and not text either",[E_+resum(bit(hx,1,0x38))+T_])
add("c07_letter","C7: without a frame number the text begins with a letter and the delimiter",[E_+b"\x02"+HX+b"\x03"+checksum(HX+b"\x03")+b"\r\n"+b"\x02L|1|N\r\x03"+checksum(b"L|1|N\r\x03")+b"\r\n"+T_])
add("c07_letter_other_delimiter","C7: the delimiter is that of the header",[E_+hx+b"\x02L,1\r\x03"+checksum(b"L,1\r\x03")+b"\r\n"+T_])
add("c07_no_number_repeated","C7: the same frame without a number again is a repeat",[E_+b"\x02"+HX+b"\x03"+checksum(HX+b"\x03")+b"\r\n"+b"\x02"+HX+b"\x03"+checksum(HX+b"\x03")+b"\r\n"+T_])
add("c08_numbers_ignored","C8: frame_numbers ignored: two equal records in a row are two",[E_+frame(1,HX)+frame(1,b"C|1\r")+frame(1,b"C|1\r")+frame(1,L)+T_],frame_numbers="ignored")
add("c08_numbers_checked","C8: the default takes the second for a repeat, and says so",[E_+frame(1,HX)+frame(1,b"C|1\r")+frame(1,b"C|1\r")+frame(1,L)+T_])
add("c09_first_number","C9: the number of the first frame is a value; its text begins with a header",[E_+frame(4,HX)+frame(5,L)+T_])
add("c09_without_header","C9: what begins in the middle of a message is refused, whatever its number",[E_+frame(1,P)+frame(2,R)+T_])
add("c09_joined_in_mid_session","a connection that begins in the middle of a session",[fs[1][5:]+fs[2]+fs[3]+fs[4]+T_])
add("c09_eot_between_frames","EOT by noise between frames: what follows is refused, so that its sender repeats the message",[E_+fs[0]+fs[1]+T_+fs[2]+fs[3]+fs[4]+T_])
add("c17_foreign_body","C17: 16 text bytes without STX after our ACK are reported once, and nothing is answered",[E_+b"A"*15+b"\x01"+b"B"*16+b"C"*40,30000])
add("c20_tail_none","C20: no tail, and the line is quiet",[E_+ok[:-2],250])
add("c20_tail_cr","C20",[E_+ok[:-1],250]); add("c20_tail_lf","C20",[E_+ok[:-2]+b"\n"])
add("c21_lf_after_cr","C21: records that end with CR LF",[E_+frame(1,b"H|\\^&\r\nP|1\r\n")+frame(2,b"L|1|N\r\n")+T_])
add("c21_lf_alone","C21: any other LF is restricted_char",[E_+frame(1,b"H|\\^&\nP|1\r")+T_])
add("c22_refused_for_good","C22: the sixth refusal ends the session",[E_+(frame(1,b"H|"+b"A"*240))*6+T_],max_text=240)
add("c22_message_too_long","C22: the limit of the message",[E_+hx+frame(2,b"C|"+b"A"*100+b"\r")+T_],max_message=100)
# ---- what is acknowledged when
add("l_is_last","the acknowledgment of the L record waits for the host, and bytes wait with it",[E_+hx+frame(2,L)+T_,"accept","accept"],host="hold")
add("l_refused","the host refuses: the frame comes again and is a new message",[E_+hx,"accept",frame(2,L),"refuse",frame(2,L),"accept",T_],host="hold")
add("l_slow","a slow host: refused after `handler`, the repeat is answered with its result",[E_+hx,"accept",frame(2,L),9999,1,frame(2,L),1000,"accept",T_],host="hold")
add("l_slow_kept","the result comes between refusal and repeat: kept for the repeat",[E_+hx,"accept",frame(2,L),10000,"accept",frame(2,L)+T_],host="hold")
add("l_slow_refused","the result is a refusal: the repeat is refused, the next one is a new message",[E_+hx,"accept",frame(2,L),10000,"refuse",frame(2,L)+frame(2,L),"accept",T_],host="hold")
add("l_slow_gives_up","the sender gives up: a late result answers nothing",[E_+hx,"accept",frame(2,L),10000,T_,"accept",E_+hx,"accept"],host="hold")
add("l_slow_hold","slow hold: no byte, however long it takes",[E_+hx,"accept",frame(2,L),14000,"accept",T_],host="hold",slow="hold")
add("l_slow_six","six refusals of a slow host",[E_+hx,"accept"]+[frame(2,L),10000]*6,host="hold")
add("l_split","an L record in two frames: the second completes it",[E_+hx+frame(2,b"L|1",False)+frame(3,b"|N\r")+T_])
add("l_without_cr","ETX ends the last record",[E_+frame(1,HX[:-1])+frame(2,L[:-1])+T_])
add("l_in_data","a record that begins with LX is no terminator",[E_+hx+frame(2,b"LX|1\r")+T_])
add("two_messages","two messages in a session, each acknowledged by itself",[E_+hx+frame(2,L)+frame(3,HX)+frame(4,L)+T_])
add("repeated_message","the whole message again: marked, delivered all the same",[E_+hx+frame(2,L)+T_+E_+hx+frame(2,L)+T_])
add("repeated_last_frame","its last acknowledgment was lost",[E_+hx+frame(2,L)+frame(2,L)+T_])
add("at_eot","a device without L records, content records_to_eot",[E_+hx+frame(2,b"R|1\r")+T_],content="records_to_eot")
add("at_eot_after_refusal","EOT after a refusal gives up, whatever the content",[E_+hx+bit(hx,3,0x7e)+T_],content="records_to_eot")
add("no_l","content records: EOT without L is incomplete",[E_+hx+frame(2,b"R|1\r")+T_])
add("not_ready_again","not ready in a session that the sender begins again",[E_,5000,E_],ready=False)
add("enq_storm","ten sessions without a byte between",[E_]+[E_,15000]*20)
add("line_lost","the connection is lost in a message, and the next one begins anew",[E_+hx+fs[1][:7],"line_lost",E_+hx+frame(2,L)+T_])
add("line_lost_owed","the connection is lost while the host has the message",[E_+hx,"accept",frame(2,L),"line_lost","accept",E_],host="hold")
add("control_in_session","stray ACK, NAK and noise between frames",[E_+b"\x06"+hx+b"\x15??"+frame(2,L)+b"\r"+T_])
# chunk independence: whole, byte by byte, every third split: the crates do every one
n=0
for v in V:
    for p,e in v["expect"].items():
        o=v.get("options",{})
        assert run(v["ops"],p,o,lambda d:[d[i:i+1] for i in range(len(d))])==e,(v["id"],p); n+=1
        for k in range(1,max([len(x[1])//2 for x in v["ops"] if x[0]=="bytes"]),3):
            assert run(v["ops"],p,o,lambda d:[d[:k],d[k:]])==e,(v["id"],p,k); n+=1
# ---- sender: the host writes at once, but for `hold`
S=[]
def sadd(id,desc,ops,message=H+L,src="",**kw):
    s=Sender(**kw); out=[]
    for op in [["start"]]+[[x] if isinstance(x,str) else ["wait",x] if isinstance(x,int) and x>255 else ["rx",bytes([x]).hex()] if isinstance(x,int) else ["rx",x.hex()] for x in ops]:
        k=len(s.ev)
        if op[0]=="start": s.start(message)
        elif op[0]=="rx":
            for b in bytes.fromhex(op[1]): 
                if s.rx(b): s.ev.append({"ev":"asked"})
        elif op[0]=="resume": s.resume()
        elif op[0]=="line_lost": s.line_lost()
        elif op[0]=="wait":
            end=s.now+op[1]
            while s.deadline() is not None and s.deadline()<=end: s.now=s.deadline(); s.due(); s.flush()
            s.now=end
        if op[0]!="hold": s.flush()
        out.append({"op":op,"events":s.ev[k:],"state":s.st})
    d={"id":id,"desc":desc,"message":message.decode("latin-1"),"steps":out}
    if kw: d["options"]=kw
    if src: d["source"]=src
    S.append(d)
sadd("ok","two records, all acknowledged",[ACK,ACK,ACK])
sadd("nak_enq","busy receiver: wait 10 s, ask again",[NAK,10000,ACK,ACK,ACK],src="E1381-95 6.2.6")
sadd("enq_timeout","no answer to ENQ within 15 s: EOT",[14999,300],src="E1381-95 6.5.2.1")
sadd("contention_computer","the computer yields and waits 20 s for the instrument's ENQ",[ENQ,ENQ,"resume",ACK],src="E1381-95 6.2.7.1, 6.5.2.2")
sadd("contention_computer_timeout","no ENQ within 20 s: it asks again",[ENQ,20000,ACK])
sadd("contention_instrument","the instrument waits 1 s and asks again",[ENQ,1000,ACK,ACK,ACK],role="instrument")
sadd("contention_jitter","C14: two computers: one waits longer",[ENQ,20000,700],jitter=700)
sadd("ignore_others_in_enq","other bytes are ignored while waiting for the answer to ENQ",[b"\rA",ACK,ACK,ACK],src="E1381-95 6.2.4")
sadd("nak_frame","frame sent again after NAK, with the same number",[ACK,NAK,ACK,ACK],src="E1381-95 6.5.1")
sadd("c10_doubled_ack","C10: a doubled ACK came before the next frame had left: it answers nothing",[b"\x06\x06",b"\x06\x06",NAK,ACK])
sadd("c10_nak_then_ack","C10: only the first byte answers",[ACK,b"\x15\x06",ACK,ACK])
sadd("c11_noise","C11: a burst of other bytes counts as one refusal, when the line is quiet",[ACK,b"\x41\x01\x7f\x00\x41\x41",249+251,ACK,ACK],src="E1381-95 6.5.1.2")
sadd("c11_noise_then_reply","C11: noise before the reply",[ACK,b"\x41",ACK,ACK])
sadd("c11_enq_as_reply","C11: NAK becomes ENQ by one bit",[ACK,ENQ,300,ACK,ACK])
sadd("c12_busy","C12: six rounds, then busy; the message stays the host's",[NAK,10000]*5+[NAK])
sadd("six_naks","sixth refusal of one frame: EOT, six transmissions in all",[ACK]+[NAK]*6,src="E1381-95 6.5.1.2, Fig. A1.1")
sadd("five_naks","five refusals then ACK",[ACK]+[NAK]*5+[ACK,ACK])
sadd("retry_count_resets","the counter is per frame",[ACK]+[NAK]*5+[ACK]+[NAK]*5+[ACK])
sadd("reply_timeout","no reply to a frame within 15 s: EOT",[ACK,15000],src="E1381-95 6.5.2.3")
sadd("reply_timeout_last","no reply to the last frame: the message may be stored",[ACK,ACK,15000])
sadd("interrupted","EOT as reply: positive, sender stops, holds 15 s, begins again",[ACK,EOT,15000,ACK,ACK,ACK],src="E1381-95 6.3.5.3")
sadd("interrupted_then_asked","the receiver uses the hold to become sender",[ACK,EOT,ENQ,"resume",ACK])
sadd("interrupted_six_times","six interrupts: the verdict",[ACK,EOT,15000]*6)
sadd("eot_for_last_ack","EOT in place of the last ACK",[ACK,ACK,EOT])
sadd("asked_before_enq_left","the peer's ENQ comes before ours has left: no contention",["hold",ENQ])
sadd("line_lost_in_last","the line is lost while the last frame is unanswered",[ACK,ACK,"line_lost"])
sadd("line_lost_before","the line is lost before",[ACK,"line_lost"])
S[[x["id"] for x in S].index("asked_before_enq_left")]=None; S=[x for x in S if x]
sadd("split","600 byte record at 240",[ACK,ACK,ACK,ACK],message=b"R|1|"+b"x"*595+b"\r")
sadd("whole","the message in one frame",[ACK,ACK],pack="message",max_text=63993)
sadd("wrap","nine frames",[ACK]*10,message=b"".join(b"R|%d\r"%i for i in range(9)))
# ---- link: both on one line
K=[]
def kadd(id,desc,ops,src="",**kw):
    l=Link(**kw); out=[]
    for x in ops:
        k=len(l.ev)
        if isinstance(x,int): op=["wait",x]; l.wait(x)
        elif isinstance(x,tuple): op=["offer",x[0].decode("latin-1")]; l.do_offer(x[0])
        elif isinstance(x,bytes): op=["bytes",x.hex()]; l.rx(x)
        elif x=="line_lost": op=[x]; l.line_lost()
        else: op=[x]; l.answer(x)
        out.append({"op":op,"events":l.ev[k:],"state":l.state})
    d={"id":id,"desc":desc,"steps":out}
    if kw: d["options"]=kw
    if src: d["source"]=src
    K.append(d)
Q=b"Q|1|^S123||ALL||||||||O\r"; A_=bytes([ACK]); N_=bytes([NAK]); offer=(HX+L,)
for role in("computer","instrument"):
    kadd(role+"_receives","a session from the peer",[E_,hx,frame(2,L),T_],role=role)
    kadd(role+"_sends","an offer on a neutral line",[offer,A_,A_,A_],role=role)
    kadd(role+"_query","host query: the answer is offered before the last acknowledgment leaves, and ENQ follows the peer's EOT",[E_,hx,"accept",frame(2,Q),"accept",frame(3,L),offer,"accept",T_,A_,A_,A_],role=role,host="hold")
    kadd(role+"_contention","both ask at once",[offer,E_,1000,E_,hx+frame(2,L)+T_,20000,A_,A_,A_],role=role)
    kadd(role+"_busy_then_asked","the peer is busy and asks itself",[offer,N_,E_,hx+frame(2,L)+T_,A_,A_,A_],role=role)
    kadd(role+"_interrupted","the peer interrupts, sends, and the offer goes again from its first frame",[offer,A_,T_,E_,hx+frame(2,L)+T_,A_,A_,A_],role=role)
    kadd(role+"_offer_in_session","an offer waits for the end of the peer's session",[E_+hx,offer,frame(2,L),T_,A_],role=role)
    kadd(role+"_silent_peer","nothing is answered",[offer,15000,offer],role=role)
    kadd(role+"_line_lost","the line is lost in the last frame",[offer,A_,A_,"line_lost",E_],role=role)
    kadd(role+"_stray","a second listener on the line answers too",[A_+E_+A_+hx+frame(2,L)+N_+T_],role=role)
kadd("role_reversal","the host asks for results and the instrument answers by taking the line",[(HX+Q+L,),A_,A_,A_,A_,E_,frame(1,H)+frame(2,P)+frame(3,O)+frame(4,R)+frame(5,L)+T_],src="OpenELIS-Global-2 PR 3032")
kadd("two_computers","two computers on one line: one waits longer",[offer,E_,20000,A_],jitter=0)
kadd("frame_timeout_then_offer","the peer falls silent in its session",[E_+hx,offer,30000,A_])
kadd("not_ready","no room: NAK, and the own offer still goes",[E_,offer,A_],ready=False)
# ---- reassembly of records from accepted frames
def records(frames_):
    """frames_: list of (text, end). Rule: concatenate; after an ETX frame whose text lacks a final CR add one; split on CR (LF after CR dropped)"""
    buf=b""
    for t,e in frames_:
        buf+=t
        if e=="ETX" and not buf.endswith(b"\r"): buf+=b"\r"
    r=buf.split(b"\r")
    return [x.lstrip(b"\n") for x in r if x.strip(b"\n")!=b""]
RE=[]
for id,desc,fl in [("one_each","one record per frame",[(H,"ETX"),(P,"ETX"),(L,"ETX")]),
 ("whole","all records in one frame",[(H+P+L,"ETX")]),
 ("split","record split by ETB",[(H,"ETX"),(b"R|1|ab","ETB"),(b"cd|x\r","ETX"),(L,"ETX")]),
 ("etb_each","ETB after each record",[(H,"ETB"),(P,"ETB"),(L,"ETX")]),
 ("no_cr","text without final CR",[(H[:-1],"ETX"),(L[:-1],"ETX")]),
 ("split_at_cr","ETB falls just before the CR",[(b"R|1|a","ETB"),(b"\rL|1|N\r","ETX")]),
 ("crlf","records ended by CR LF",[(b"H|\\^&\r\nL|1|N\r\n","ETX")])]:
    RE.append({"id":id,"desc":desc,"frames":[[t.decode("latin-1"),e] for t,e in fl],"records":[x.decode("latin-1") for x in records(fl)]})
# ---- records: paths, deviations, results
M=[]
def madd(id,data,paths,scan="single_byte",src=""):
    m=ref_lis.Message(data,scan); q=[]
    for p in paths:
        v=m.get(p); q.append([p,None if v is None else v.hex()])
    d={"id":id,"message_hex":data.hex(),"delimiters":m.d.decode("latin-1"),"records":[[m.kind(r).decode("latin-1"),r.hex()] for r in m.records],"deviations":sorted(m.deviations),"get":q,"results":m.results()}
    if scan!="single_byte": d["scan"]=scan
    if src: d["source"]=src
    M.append(d)
ALL=["H","H-1","H-2","H-2.1","H-2[1]","H-5","H-5.1","H-5.2","H-14","P-1","P-2","P-6.1","P-6.2","P[2]","O-3","O-3.1","O-5","O-5[2]","O-5[2].4","R","R-1","R-3","R-3.4","R-4","R[2]-4","R[2]-4.1","R-4[2]","R-99","R[9]-4","L-3","Q-3","Q-3.2","C-4","Z-1","R.4","R[2].3.4"]
two=H+P+O+R+b"C|1|I|hemolytic\rR|2|^^^HBA1C|6.1^H\\5.9|%|||N||F\rM|1|x\rC|1|I|late\rR|3|^^^X|\rP|2||1002\rO|1|S124||^^^GLU\\^^^UREA\rR|1|^^^GLU|\"\"\r"+L
two=two.replace(b"\\\\",b"\\")
madd("results",two,ALL)
madd("query",HX+Q+L,["Q-3","Q-3.1","Q-3.2","Q-5","Q-13","Q-14"])
for hd,src in((b"H|@^\\|M||GX",'GeneXpert'),(b"H|`^&|||X",'Erba'),(b"H,\\^&,,,X","comma"),(b"H|\\!~|||X","Selectra, node-astm issue 8")):
    f=hd[1:2]; madd("delimiters_"+src.split(",")[0].lower(),hd+b"\r"+f.join([b"R",b"1",hd[3:4]*3+b"GLU",b"5"+hd[2:3]+b"6"])+b"\r"+b"L"+f+b"1"+f+b"N\r",["H-2","H-5","R-3.4","R-4","R-4[2]","L-3"],src=src)
for id,hd in(("doubled",b"H|\\\\^&|||mini"),("equal",b"H|^^&|||X"),("letter",b"H|A^&|||X"),("short",b"H|\\^"),("five",b"H|\\^&#|||X")):
    madd("unusable_"+id,hd+b"\rR|1|^^^GLU|5\\6\rL|1|N\r",["H-2","R-3.4","R-4","R-4[2]","H-5"])
madd("no_header",P+R+L,["P-1","R-4","H-5"])
madd("no_terminator",H+P+R,["R-4"])
madd("record_number",H+b"2P|1\r3O|1|S1\r4L|1|N\r",["P-1","O-3"],src="C18: the type stays 2P")
madd("unknown_record",H+b"X|1|a\rL|1|N\r",["X-3"])
madd("crlf",H+b"\nP|1\r\nL|1|N\r\n",["P-2","L-3"],src="C21")
madd("empty_records",H+b"\r\rP|1\r"+L,["P-2"])
madd("orphans",H+R+b"O|1|S1\r"+R+L+H+R+L,["R-4","O-3"])
madd("open_end",H+P+b"L|1|N",["L-3"])
madd("empty",b"",["H-1"]); madd("bare_h",b"H",["H-1","H-2"])
madd("shift_jis",H+b"P|1||1||\x83\x7C|\x83\x5C\x83\x5E^\x8EY\r"+L,["P-6","P-7.1","P-7.2"],scan="shift_jis")
madd("shift_jis_plain",H+b"P|1||1||\x83\x7C|x\r"+L,["P-6","P-7"])
madd("gb18030",H+b"P|1||1||\x81\x5E^\x81\x7C\r"+L,["P-6.1","P-6.2"],scan="gb18030")
BAD=["","R4","R-","R-0","R[0]-4","R[]-4","R-4[0]","R-4.0","r-4","RR-4","R-4.1.1","R-4294967296","R-4[2","R-4 "," R-4","PID-3"]
for p in BAD:
    try: ref_lis.Message(H).get(p); raise SystemExit(p)
    except ValueError: pass
X=[]
def xadd(text,d=ref_lis.DEFAULT,scan="single_byte"):
    t=ref_lis.escape(text,d,scan); assert ref_lis.unescape(t,d,scan)==text,(text,t)
    u=ref_lis.unescape(text,d,scan)
    X.append({"text":text.hex(),"delimiters":d.decode("latin-1"),"escaped":t.hex(),"unescaped":u.hex(),**({"scan":scan} if scan!="single_byte" else {})})
for t in(b"",b"plain",b"a|b^c\\d&e",b"line\rbreak\n",b"tab\there",b"\x00\x01\x1f\x7f\xff",b"&F&&S&&R&&E&",b"&X0A&&X0D&&x41&&X4&&X&&X414&&Xfg&",b"a&.br&b",b"&Q&F&",b"&H&big&N&&Z9&",b"&",b"&&",b"&&&",b"&F",b"F&",b"M\xfcller",b"M\xc3\xbcller",b"&E&F&E&"): xadd(t)
xadd(b"a|b@c^d\\e&",b"|@^\\"); xadd(b"\\F\\&F&",b"|@^\\")
xadd(b"\x83\x7C|\x83\x5C&\x83&",ref_lis.DEFAULT,"shift_jis"); xadd(b"\x81\x26&F&\x81\x30\x81\x30|",ref_lis.DEFAULT,"gb18030")
rnd=random.Random(17)
for _ in range(300):
    t=bytes(rnd.choice(b"&FSREX0a4|\\^\r\n.br\x83\x5c") for _ in range(rnd.randint(0,12)))
    for sc in("single_byte","shift_jis"):
        e=ref_lis.escape(t,scan=sc); assert ref_lis.unescape(e,scan=sc)==t,(t,e); assert len(ref_lis.unescape(t,scan=sc))<=len(t)
doc={"format":"fastmllp-vectors/astm/2","notes":[
 "checksum = sum of the bytes from the frame number to ETX/ETB inclusive, modulo 256, two upper-case hex digits",
 "receiver: ops [bytes,hex] (from the peer, may be split anywhere), [wait,ms] (virtual time; every deadline on the way is kept), [accept|refuse|interrupt] (the host answers), [line_lost]; option host: what answers at once, or hold; events in order, send = a byte of ours",
 "while the host owes an answer no byte is read: bytes wait until it is there",
 "sender, link: [rx|bytes,hex] is one read and is not split: what comes in the read in which a reply came answers nothing (C10)",
 "frame = good, new, completes nothing; message = the frame completes the message, whose text is given whole",
 "records: paths count the record type as field 1; results gives numbers of records, from 0"],
 "codec":C,"receiver":V,"sender":S,"link":K,"reassembly":RE,"records":M,"bad_paths":BAD,"escapes":X}
json.dump(doc,open("../astm_frames.json","w"),indent=1,ensure_ascii=True)
print(len(C),"codec",len(V),"receiver",len(S),"sender",len(K),"link",len(RE),"reassembly",len(M),"records",len(X),"escapes;",n,"chunk runs")
